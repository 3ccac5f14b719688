"""What a provider of a cluster does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from floe_ops.clients.kubernetes import Access
    from floe_ops.targets.cluster.layout import Layout
    from floe_ops.targets.cluster.record import ProviderName


class Provider(ABC):
    """One way to a cluster.

    Args:
        layout: Where the target's files are.
        say: Takes one line for each thing that happens, for people.

    Attributes:
        name: As FLOE_CLUSTER names it.
        loads: Whether images can be put into it from this machine.
        enforces_policies: Whether its network is known to enforce NetworkPolicies.
    """

    name: ProviderName
    loads: bool
    enforces_policies: bool = False

    def __init__(self, layout: Layout, say: Callable[[str], None]) -> None:
        self.layout = layout
        self._say = say

    @property
    @abstractmethod
    def makes(self) -> bool:
        """Whether the cluster was, or is about to be, made here, and so may be deleted here."""

    @property
    @abstractmethod
    def access(self) -> Access:
        """How it is reached once it is up."""

    @abstractmethod
    def why_not(self) -> str:
        """Why this one cannot be had here, in a clause; empty when it can."""

    @abstractmethod
    def runs(self) -> bool:
        """Whether its cluster is there and runs now."""

    @abstractmethod
    def up(self, owner: str, /) -> Access:
        """Have the cluster running for an owner of the lease, and say how to reach it.

        Raises:
            MissingToolError: It cannot be had.
            NotReadyError: It does not come up.
            UsageError: It may not be touched without being named.
        """

    @abstractmethod
    def load(self, archives: Sequence[Path]) -> None:
        """Put images into it, from OCI archives; one that holds them already is quick."""

    @abstractmethod
    def stop(self) -> None:
        """End its processes and keep its state; a cluster that was not made here goes on."""

    def let_go(self, _gone: set[str], /) -> None:
        """Stop it, unless somebody besides the owners that are gone uses it."""
        self.stop()

    @abstractmethod
    def delete(self) -> None:
        """End it with all that is in it; a cluster that was not made here goes on."""
