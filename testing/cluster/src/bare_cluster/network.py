"""The addresses of one cluster, and the one link that joins it to the machine.

Each cluster has a slot from 0 to 255, derived from its state folder: a network of four addresses for the link, one of
256 for pods and one of 256 for Services. So several clusters live side by side, and a client of the machine reaches
pods and Services by route.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess  # nosec B404 - ip is a program
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, WrongStateError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

SLOTS = 256
INSIDE_LINK = "eth0"
API_PORT = 6443


@dataclass(frozen=True)
class Network:
    """The addresses of the cluster with that slot."""

    slot: int

    @property
    def link(self) -> str:
        """The machine's end of the veth pair (an interface's name has at most 15 characters)."""
        return f"floe-bare-{self.slot}"

    @property
    def joint(self) -> IPv4Network:
        """The network of the veth pair."""
        return IPv4Network(f"10.99.{self.slot}.0/30")

    @property
    def pods(self) -> IPv4Network:
        """Addresses of pods."""
        return IPv4Network(f"10.200.{self.slot}.0/24")

    @property
    def services(self) -> IPv4Network:
        """Addresses of Services."""
        return IPv4Network(f"10.201.{self.slot}.0/24")

    @property
    def host(self) -> IPv4Address:
        """The machine, seen from the node."""
        return self.joint[1]

    @property
    def node(self) -> IPv4Address:
        """The node, seen from the machine."""
        return self.joint[2]

    @property
    def api(self) -> IPv4Address:
        """The Service `kubernetes`: always the first of them."""
        return self.services[1]

    @property
    def dns(self) -> IPv4Address:
        """The Service of the cluster's DNS."""
        return self.services[10]

    @property
    def url(self) -> str:
        """The API server, for clients on the machine."""
        return f"https://{self.node}:{API_PORT}"

    @property
    def all(self) -> tuple[IPv4Network, IPv4Network, IPv4Network]:
        """Every network that the cluster needs for itself."""
        return self.joint, self.pods, self.services


def preferred(state: Path) -> int:
    """The slot that a state folder asks for first: the same one each time."""
    return hashlib.sha256(os.fsencode(state)).digest()[0]


def choose(state: Path, taken: Collection[IPv4Network], kept: int | None = None) -> Network:
    """The network for the cluster in `state`.

    Args:
        state: Its folder.
        taken: What the machine already has routes to.
        kept: The slot that its objects were made with; they hold addresses, so that no other one will do.

    Raises:
        WrongStateError: The kept slot, or every slot, is taken.
    """
    if kept is not None:
        network = Network(kept)
        if _clash(network, taken):
            raise WrongStateError(
                "the addresses of this cluster are taken",
                where=f"{state}: {', '.join(map(str, network.all))}",
                why="the machine has a route to one of them that is not this cluster's",
                remedy="end who uses them, or start anew with other ones: `bare-cluster down --wipe`, then `up`",
            )
        return network
    first = preferred(state)
    for step in range(SLOTS):
        network = Network((first + step) % SLOTS)
        if not _clash(network, taken):
            return network
    raise WrongStateError(
        "no addresses are left for a cluster",
        where="10.99.0.0/16, 10.200.0.0/16, 10.201.0.0/16",
        why="the machine has routes to all of them",
        remedy="end other clusters, or a VPN that routes these networks",
    )


def _clash(network: Network, taken: Collection[IPv4Network]) -> bool:
    return any(mine.overlaps(theirs) for mine in network.all for theirs in taken)


def routes() -> list[IPv4Network]:
    """The networks that this machine has routes to, the default route apart."""
    return parse_routes(_ip("-j", "-4", "route"))


def parse_routes(text: str) -> list[IPv4Network]:
    """The networks in what `ip -j route` prints."""
    found = (entry["dst"] for entry in json.loads(text or "[]"))
    return [IPv4Network(each, strict=False) for each in found if each != "default"]


def connected(network: Network) -> bool:
    """Whether the machine's end of the link is there and routed."""
    mine = set(network.all)
    return mine <= set(routes())


def connect(network: Network, process: int) -> None:
    """Join the network namespace of `process` to the machine; what is left of an earlier link goes first."""
    disconnect(network)
    link, node = network.link, str(network.node)
    _ip("link", "add", link, "type", "veth", "peer", "name", INSIDE_LINK, "netns", str(process))
    _ip("addr", "add", f"{network.host}/{network.joint.prefixlen}", "dev", link)
    _ip("link", "set", link, "up")
    for target in (network.pods, network.services):
        _ip("route", "replace", str(target), "via", node, "dev", link)


def disconnect(network: Network) -> None:
    """Remove the link, and with it its routes; no error when there is none. It mostly went with its namespace."""
    if network.link in interfaces():
        _ip("link", "del", network.link)


def interfaces() -> list[str]:
    """The names of this machine's interfaces."""
    return [entry["ifname"] for entry in json.loads(_ip("-j", "link"))]


def _ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603, S607  # nosec B603, B607 - iproute2 of this system, no shell
    if done.returncode != 0:
        raise FloeError(
            "the cluster's network cannot be made",
            where="ip " + " ".join(words),
            why=done.stderr.strip(),
            remedy="run `bare-cluster prepare`, which says what this machine lacks",
        )
    return done.stdout
