"""Where the cluster target keeps its files below `.floe/`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The files of the cluster target; `state` is the project's `.floe/` folder."""

    state: Path

    @property
    def folder(self) -> Path:
        """All of them, but for the report."""
        return self.state / "cluster"

    @property
    def record(self) -> Path:
        """Which cluster is in use, and what of it was made here."""
        return self.folder / "record.json"

    @property
    def owners(self) -> Path:
        """One file for each owner of the lease."""
        return self.folder / "owners"

    @property
    def lock(self) -> Path:
        """Held by whoever brings the platform up or ends it."""
        return self.folder / "lock"

    @property
    def forwards(self) -> Path:
        """The ports of the forwards, and the process that keeps them."""
        return self.folder / "forwards.json"

    @property
    def keeper_log(self) -> Path:
        """What the keeper of the forwards said."""
        return self.folder / "keeper.log"

    @property
    def bare(self) -> Path:
        """The state of the bare cluster."""
        return self.folder / "bare"

    @property
    def kind(self) -> Path:
        """The kubeconfig of the kind cluster."""
        return self.folder / "kind.kubeconfig"

    @property
    def kind_made(self) -> Path:
        """The name of the kind cluster that was made here; no file when there is none."""
        return self.folder / "kind.made"

    @property
    def report(self) -> Path:
        """Logs and events of an install that failed."""
        return self.state / "report" / "cluster"
