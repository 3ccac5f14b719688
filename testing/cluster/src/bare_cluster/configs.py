"""The configuration files of the node's daemons, rendered from the cluster's settings and what the machine has."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

import psutil
import yaml
from jinja2 import Environment, StrictUndefined

from bare_cluster import daemons
from bare_cluster.daemons import HERE, KEYS, SOCKET

if TYPE_CHECKING:
    from bare_cluster.layout import Layout
    from bare_cluster.settings import Settings

MEBI = 1 << 20
GIBI = 1 << 30
EVICT_BELOW_MIB = 100


@dataclass(frozen=True)
class Machine:
    """What of the machine decides the configuration.

    Attributes:
        cpus: That this process may use.
        memory: Bytes in all.
        cni_programs: The folder of the CNI plugins.
        may_raise: Whether processes may be protected from the kernel when memory runs out (CAP_SYS_RESOURCE).
    """

    cpus: int
    memory: int
    cni_programs: str
    may_raise: bool


def this_machine(cni_programs: str, *, may_raise: bool) -> Machine:
    """The machine that this runs on."""
    return Machine(os.cpu_count() or 1, psutil.virtual_memory().total, cni_programs, may_raise)


def write(layout: Layout, settings: Settings, machine: Machine) -> None:
    """Write all of them into the layout's folders."""
    for name, text in {
        "etc/containerd.toml": containerd(settings, machine),
        "etc/kubelet.yaml": kubelet(settings, machine),
        "etc/cni/10-bridge.conflist": cni(settings),
        "etc/resolv.conf": f"nameserver {settings.network.dns}\n",
    }.items():
        (layout.state / name).write_text(text, encoding="utf-8")


def containerd(settings: Settings, machine: Machine) -> str:
    """containerd's, in version 2 of its format, which 1.x and 2.x read."""
    text = resources.files("bare_cluster").joinpath("templates/containerd.toml.j2").read_text(encoding="utf-8")
    environment = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)  # noqa: S701  # nosec B701 - writes TOML, no HTML
    values: dict[str, object] = {
        "root": str(HERE.containerd),
        "socket": SOCKET,
        "pause": settings.pause,
        # without that right, asking for less than one's own score ends a container's start with an error
        "restricted": not machine.may_raise,
        "cni_programs": machine.cni_programs,
        "cni": str(HERE.cni),
    }
    return environment.from_string(text).render({name: json.dumps(value) for name, value in values.items()})


def kubelet(settings: Settings, machine: Machine) -> str:
    """The kubelet's: among the rest, what of the machine it keeps from pods, so that the node is a small one."""
    server = daemons.kubelet_pair()
    return yaml.safe_dump(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(KEYS.api.ca)},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": server["certificate"],
            "tlsPrivateKeyFile": server["key"],
            "containerRuntimeEndpoint": f"unix://{SOCKET}",
            "cgroupDriver": "cgroupfs",
            "failCgroupV1": False,
            "failSwapOn": False,
            "clusterDNS": [str(settings.network.dns)],
            "clusterDomain": "cluster.local",
            "resolvConf": str(HERE.configs / "resolv.conf"),
            "podLogsDir": str(HERE.pod_logs),
            "volumePluginDir": daemons.PLUGINS,
            "systemReserved": reserved(settings, machine),
            "enforceNodeAllocatable": ["pods"],
            # nothing is fetched again, so nothing is thrown away
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "evictionHard": {
                "memory.available": f"{EVICT_BELOW_MIB}Mi",
                "nodefs.available": "1%",
                "nodefs.inodesFree": "1%",
                "imagefs.available": "1%",
            },
            "syncFrequency": "10s",
            "nodeStatusUpdateFrequency": "4s",
        },
        sort_keys=False,
    )


def reserved(settings: Settings, machine: Machine) -> dict[str, str]:
    """What pods do not get: all but what the cluster was asked to have, and nothing where the machine has less."""
    memory = machine.memory - int(settings.memory_gib * GIBI) - EVICT_BELOW_MIB * MEBI
    cpus = round((machine.cpus - settings.cpus) * 1000)
    return {"cpu": f"{max(0, cpus)}m", "memory": f"{max(0, memory // MEBI)}Mi"}


def cni(settings: Settings) -> str:
    """The pods' network: one bridge."""
    addresses = {
        "type": "host-local",
        "dataDir": "/run/cni-addresses",
        "ranges": [[{"subnet": str(settings.network.pods)}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True, "hairpinMode": True}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps(
        {"cniVersion": "0.4.0", "name": "bare", "plugins": [bridge | {"ipam": addresses}, ports]}, indent=2
    )
