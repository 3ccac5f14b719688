"""How etcd and the API server are started: on loopback, closed to whoever has no certificate of this start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from floe_ops.kube_api.certificates import ADMINS, HOST, Authority, Pair, signing_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ETCD, ETCD_PEER, API = "etcd", "etcd-peer", "kube-apiserver"
SERVICES = "10.0.0.0/24"  # addresses that Services get; nothing routes them
ISSUER = "https://kubernetes.default.svc"


@dataclass(frozen=True)
class Keys:
    """What one start is locked with. etcd has an authority of its own: no client of the API server is one of etcd."""

    etcd_ca: Path
    etcd: Pair
    ca: Path
    server: Pair
    admin: Pair
    signing: Path

    @classmethod
    def make(cls, folder: Path) -> Keys:
        """New ones, in `folder`."""
        etcd, cluster = Authority("etcd-ca", folder), Authority("ca", folder)
        return cls(
            etcd.certificate,
            etcd.server(ETCD),
            cluster.certificate,
            cluster.server(API),
            cluster.client("admin", ADMINS),
            signing_key(folder),
        )


def etcd(keys: Keys, ports: Mapping[str, int], data: Path) -> list[str]:
    """The arguments of an etcd of one member; it may lose data when the machine stops, for speed."""
    client, peer = f"https://{HOST}:{ports[ETCD]}", f"https://{HOST}:{ports[ETCD_PEER]}"
    options = {
        "name": "one",
        "data-dir": data,
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "cert-file": keys.etcd.certificate,
        "key-file": keys.etcd.key,
        "trusted-ca-file": keys.etcd_ca,
        "client-cert-auth": "true",
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"one={peer}",
        "peer-cert-file": keys.etcd.certificate,
        "peer-key-file": keys.etcd.key,
        "peer-trusted-ca-file": keys.etcd_ca,
        "peer-client-cert-auth": "true",
        "unsafe-no-fsync": "true",
        "log-level": "warn",
    }
    return [ETCD, *_flags(options)]


def api_server(keys: Keys, ports: Mapping[str, int], folder: Path) -> list[str]:
    """The arguments of an API server that knows users by certificate and token, and lets RBAC decide."""
    options = {
        "etcd-servers": f"https://{HOST}:{ports[ETCD]}",
        "etcd-cafile": keys.etcd_ca,
        "etcd-certfile": keys.etcd.certificate,
        "etcd-keyfile": keys.etcd.key,
        "bind-address": HOST,
        "advertise-address": HOST,
        "secure-port": ports[API],
        "endpoint-reconciler-type": "none",  # it serves this machine and no cluster's network
        "tls-cert-file": keys.server.certificate,
        "tls-private-key-file": keys.server.key,
        "cert-dir": folder,
        "client-ca-file": keys.ca,
        "anonymous-auth": "false",
        "authorization-mode": "RBAC",
        "allow-privileged": "true",  # as clusters have it: what pods may be is for Pod Security to say
        "service-account-issuer": ISSUER,
        "service-account-key-file": keys.signing,
        "service-account-signing-key-file": keys.signing,
        "service-cluster-ip-range": SERVICES,
        "profiling": "false",
    }
    return [API, *_flags(options)]


def _flags(options: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in options.items()]
