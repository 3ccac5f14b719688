"""Which pods serve which endpoint: read from the release's Services, by the names of their ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from floe_ops.services import CLUSTER, services

if TYPE_CHECKING:
    from floe_ops.clients.kubernetes import Kubernetes
    from floe_ops.targets.cluster.settings import Settings


@dataclass(frozen=True)
class Endpoint:
    """One endpoint inside the cluster.

    Attributes:
        name: As in `services.toml`.
        service: The Service that has a port of this name.
        selector: The labels of its pods, as the API takes them.
        port: Where those pods listen.
        url: How pods reach it.
    """

    name: str
    service: str
    selector: str
    port: int
    url: str


def find(cluster: Kubernetes, settings: Settings) -> dict[str, Endpoint]:
    """The endpoints of a release by name, in the order of `services.toml`; those that it does not have are left out."""
    ports = {
        port["name"]: (service, port)
        for service in cluster.services(settings.namespace, settings.selector)
        for port in service["spec"]["ports"]
        if "name" in port
    }
    found = {}
    for name in (name for service in services(CLUSTER).values() for name in service.ports):
        if name in ports:
            service, port = ports[name]
            title = service["metadata"]["name"]
            labels = service["spec"].get("selector") or {}
            found[name] = Endpoint(
                name=name,
                service=title,
                selector=",".join(f"{key}={value}" for key, value in sorted(labels.items())),
                port=int(port.get("targetPort") or port["port"]),
                url=f"http://{title}:{port['port']}",
            )
    return found
