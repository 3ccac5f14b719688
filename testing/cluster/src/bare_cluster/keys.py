"""The keys of one start: three authorities, whose own keys are never written, and one pair for each who speaks.

Every start makes new ones, so that nothing expires in a folder that was kept; they are good for a week.
"""

from __future__ import annotations

import base64
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml
from floe_ops.kube_api.certificates import ADMINS, HOST, Authority, Pair, signing_key
from floe_ops.kube_api.commands import API, ETCD, Keys
from floe_ops.targets.local.layout import write_private

from bare_cluster.network import API_PORT
from bare_cluster.settings import NODE

if TYPE_CHECKING:
    from pathlib import Path

    from bare_cluster.network import Network

KUBELET, KUBELET_SERVER = f"system:node:{NODE}", "kubelet-server"
CONTROLLERS, SCHEDULER, PROXY = "system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy"
API_CLIENT, FRONT_PROXY, ADMIN = "kube-apiserver-kubelet-client", "front-proxy-client", "admin"
KUBECONFIGS = {"kubelet": KUBELET, "controller-manager": CONTROLLERS, "scheduler": SCHEDULER, "proxy": PROXY}
"""The file's name and the user it is for."""
API_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")


@dataclass(frozen=True)
class NodeKeys:
    """Where the keys lie; the same names outside and inside."""

    folder: Path

    def pair(self, name: str) -> Pair:
        """The certificate and key of `name`."""
        return Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key")

    @property
    def front_proxy_ca(self) -> Path:
        """Who vouches for the API server where it speaks for a user."""
        return self.folder / "front-proxy-ca.crt"

    @property
    def api(self) -> Keys:
        """Those of etcd and of the API server."""
        return Keys(
            self.folder / "etcd-ca.crt",
            self.pair(ETCD),
            self.folder / "ca.crt",
            self.pair(API),
            self.pair(ADMIN),
            self.folder / "service-accounts.key",
        )

    def kubeconfig(self, name: str) -> Path:
        """The file with which the daemon `name` speaks to the API server."""
        return self.folder / f"{name}.kubeconfig"


def make(folder: Path, network: Network) -> NodeKeys:
    """New keys in `folder`, whatever was there before."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    keys = NodeKeys(folder)
    Authority("etcd-ca", folder).server(ETCD)
    Authority("front-proxy-ca", folder).client(FRONT_PROXY)
    cluster = Authority("ca", folder)
    cluster.server(API, (*API_NAMES, str(network.api), str(network.node)))
    cluster.server(KUBELET_SERVER, (NODE, str(network.node)))
    cluster.client(ADMIN, ADMINS)
    cluster.client(API_CLIENT, ADMINS)
    cluster.client(KUBELET, "system:nodes")
    for user in (CONTROLLERS, SCHEDULER, PROXY):
        cluster.client(user)
    signing_key(folder)
    inside = f"https://{HOST}:{API_PORT}"
    for name, user in KUBECONFIGS.items():
        write_private(keys.kubeconfig(name), kubeconfig(inside, keys, user))
    return keys


def kubeconfig(url: str, keys: NodeKeys, user: str) -> str:
    """A whole one, keys included, so that it may be handed on as one file."""
    pair = keys.pair(user)
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": NODE, "cluster": {"server": url, "certificate-authority-data": _encoded(keys.api.ca)}}
            ],
            "users": [
                {
                    "name": user,
                    "user": {
                        "client-certificate-data": _encoded(pair.certificate),
                        "client-key-data": _encoded(pair.key),
                    },
                }
            ],
            "contexts": [{"name": NODE, "context": {"cluster": NODE, "user": user}}],
            "current-context": NODE,
        },
        sort_keys=False,
    )


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
