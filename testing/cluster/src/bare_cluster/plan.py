"""What the first process of a cluster is to do, handed to it as a file: it decides nothing by itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from floe_ops.targets.local.layout import write_private

from bare_cluster import daemons
from bare_cluster.network import INSIDE_LINK
from bare_cluster.settings import NODE

if TYPE_CHECKING:
    from pathlib import Path

    from bare_cluster.settings import Settings


@dataclass(frozen=True)
class Plan:
    """One start.

    Attributes:
        host_name: Of the node.
        commands: Programs to run once the network is there, in this order.
        first: The daemons to start at once: name and command.
        second: Those to start when the API server is ready.
    """

    host_name: str
    commands: list[list[str]]
    first: dict[str, list[str]]
    second: dict[str, list[str]]


def make(settings: Settings) -> Plan:
    """The plan for a cluster with these settings."""
    network = settings.network
    ip = (
        "link set lo up",
        f"addr add {network.node}/{network.joint.prefixlen} dev {INSIDE_LINK}",
        f"link set {INSIDE_LINK} up",
        f"route add default via {network.host}",
        # a Service that kube-proxy does not know yet must fail at once, not be routed to the machine and time out
        *(f"rule add iif {link} to {network.services} unreachable" for link in ("cni0", INSIDE_LINK)),
    )
    return Plan(NODE, [["ip", *line.split()] for line in ip], daemons.first(settings), daemons.second(settings))


def write(path: Path, plan: Plan) -> None:
    """Keep it where the first process looks."""
    write_private(path, json.dumps(asdict(plan), indent=2))


def read(path: Path) -> Plan:
    """What `write` wrote."""
    return Plan(**json.loads(path.read_text(encoding="utf-8")))
