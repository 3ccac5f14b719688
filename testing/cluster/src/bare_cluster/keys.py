"""The keys of a cluster: three authorities, whose own keys are never written, and one pair for each who speaks.

They live as long as the cluster's data: pods are told once, when they start, whom to trust, and new keys would shut out
those that were there before.
"""

from __future__ import annotations

import base64
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import yaml
from cryptography import x509
from floe_core.errors import WrongStateError
from floe_ops.kube_api.certificates import ADMINS, HOST, Authority, Pair, signing_key
from floe_ops.kube_api.commands import API, ETCD, Keys
from floe_ops.targets.local.layout import write_private

from bare_cluster.network import API_PORT
from bare_cluster.settings import NODE

if TYPE_CHECKING:
    from pathlib import Path

    from bare_cluster.network import Network

LIFE, LEAST = timedelta(days=365), timedelta(days=1)
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


def ensure(folder: Path, network: Network) -> NodeKeys:
    """The keys in `folder`, made where there are none; whole or not at all.

    Raises:
        WrongStateError: They are about to expire.
    """
    keys = NodeKeys(folder)
    if folder.is_dir():
        _refuse_expiring(keys)
        return keys
    making = folder.with_name(f"{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    _make(NodeKeys(making), network)
    making.rename(folder)
    return keys


def _make(keys: NodeKeys, network: Network) -> None:
    folder = keys.folder
    Authority("etcd-ca", folder, LIFE).server(ETCD)
    Authority("front-proxy-ca", folder, LIFE).client(FRONT_PROXY)
    cluster = Authority("ca", folder, LIFE)
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


def _refuse_expiring(keys: NodeKeys) -> None:
    end = x509.load_pem_x509_certificate(keys.api.ca.read_bytes()).not_valid_after_utc
    if end - datetime.now(UTC) < LEAST:
        raise WrongStateError(
            "the cluster's keys expire",
            where=str(keys.folder),
            why=f"they are good until {end:%Y-%m-%d}; they live as long as the cluster's data, a year at most",
            remedy="start anew: `bare-cluster down --wipe`, then `up`",
        )


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
