"""The daemons of a node and how each is started, with paths as they are inside of the namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_ops.kube_api import commands
from floe_ops.kube_api.certificates import HOST

from bare_cluster.keys import API_CLIENT, FRONT_PROXY, KUBELET_SERVER, NodeKeys
from bare_cluster.layout import INSIDE, Layout
from bare_cluster.network import API_PORT
from bare_cluster.settings import NODE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bare_cluster.settings import Settings

CONTAINERD, ETCD, API = "containerd", commands.ETCD, commands.API
SOCKET = "/run/containerd/containerd.sock"
ETCD_PORTS = {commands.ETCD: 2379, commands.ETCD_PEER: 2380}
ISSUER = "https://kubernetes.default.svc.cluster.local"
PLUGINS = "/run/bare-plugins"  # for volume plugins of other vendors; the default would make a folder in /usr

HERE = Layout(INSIDE)
KEYS = NodeKeys(HERE.pki)


def first(settings: Settings) -> dict[str, list[str]]:
    """What needs nobody, or waits for the others by itself; by the daemon's name."""
    program = str(settings.program)
    return {
        CONTAINERD: ["containerd", "--config", str(HERE.configs / "containerd.toml")],
        ETCD: [program, *commands.etcd(KEYS.api, ETCD_PORTS, HERE.etcd)],
        API: [program, API, *_flags(_api_server(settings))],
    }


def second(settings: Settings) -> dict[str, list[str]]:
    """What would end if the API server were not ready."""
    program = str(settings.program)
    return {
        name: [program, name, *_flags(options)]
        for name, options in (
            ("kube-controller-manager", _controller_manager(settings)),
            ("kube-scheduler", _client("scheduler") | {"leader-elect": "false"}),
            ("kubelet", _kubelet(settings)),
            ("kube-proxy", _proxy(settings)),
        )
    }


def _api_server(settings: Settings) -> dict[str, object]:
    keys, network = KEYS.api, settings.network
    kubelet, front = KEYS.pair(API_CLIENT), KEYS.pair(FRONT_PROXY)
    return {
        "etcd-servers": f"https://{HOST}:{ETCD_PORTS[ETCD]}",
        "etcd-cafile": keys.etcd_ca,
        "etcd-certfile": keys.etcd.certificate,
        "etcd-keyfile": keys.etcd.key,
        "secure-port": API_PORT,
        "advertise-address": network.node,
        "service-cluster-ip-range": network.services,
        "endpoint-reconciler-type": "lease",
        "tls-cert-file": keys.server.certificate,
        "tls-private-key-file": keys.server.key,
        "client-ca-file": keys.ca,
        "anonymous-auth": "false",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",  # Pod Security is among those that are on by themselves
        "allow-privileged": "true",
        "service-account-issuer": ISSUER,
        "service-account-key-file": keys.signing,
        "service-account-signing-key-file": keys.signing,
        "kubelet-client-certificate": kubelet.certificate,
        "kubelet-client-key": kubelet.key,
        "kubelet-certificate-authority": keys.ca,
        "kubelet-preferred-address-types": "InternalIP",
        "requestheader-client-ca-file": KEYS.front_proxy_ca,
        "requestheader-allowed-names": FRONT_PROXY,
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "proxy-client-cert-file": front.certificate,
        "proxy-client-key-file": front.key,
        "profiling": "false",
    }


def _controller_manager(settings: Settings) -> dict[str, object]:
    return _client("controller-manager") | {
        "service-account-private-key-file": KEYS.api.signing,
        "root-ca-file": KEYS.api.ca,
        "use-service-account-credentials": "true",
        "leader-elect": "false",
        "allocate-node-cidrs": "false",
        "cluster-cidr": settings.network.pods,
        "service-cluster-ip-range": settings.network.services,
        "flex-volume-plugin-dir": PLUGINS,
        "profiling": "false",
    }


def _client(name: str) -> dict[str, object]:
    own = KEYS.kubeconfig(name)
    return {"kubeconfig": own, "authentication-kubeconfig": own, "authorization-kubeconfig": own}


def _kubelet(settings: Settings) -> dict[str, object]:
    return {
        "kubeconfig": KEYS.kubeconfig("kubelet"),
        "config": HERE.configs / "kubelet.yaml",
        "root-dir": HERE.kubelet,
        "hostname-override": NODE,
        "node-ip": settings.network.node,
    }


def _proxy(settings: Settings) -> dict[str, object]:
    return {
        "kubeconfig": KEYS.kubeconfig("proxy"),
        "proxy-mode": "iptables",
        "cluster-cidr": settings.network.pods,
        "hostname-override": NODE,
        "iptables-min-sync-period": "200ms",
        # the machine's own limits stay: they are not the cluster's to set
        "conntrack-max-per-core": 0,
        "conntrack-tcp-timeout-established": 0,
        "conntrack-tcp-timeout-close-wait": 0,
    }


def kubelet_pair() -> dict[str, str]:
    """The certificate and key of the kubelet's own server."""
    pair = KEYS.pair(KUBELET_SERVER)
    return {"certificate": str(pair.certificate), "key": str(pair.key)}


def _flags(options: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in options.items()]
