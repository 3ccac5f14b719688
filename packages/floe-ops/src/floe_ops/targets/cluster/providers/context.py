"""A cluster that is there already: the current context, or the one that is named."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from floe_core.errors import UsageError

from floe_ops.clients.kubernetes import Access, Kubernetes
from floe_ops.targets.cluster import record
from floe_ops.targets.cluster.providers.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from floe_ops.targets.cluster.record import ProviderName

NAMED = "FLOE_KUBE_CONTEXT"


class ContextProvider(Provider):
    """A context of the kubeconfig; never touched unless it was named, or a person said yes."""

    name: ProviderName = "context"
    makes = False
    loads = False

    @property
    def kubeconfig(self) -> str:
        """The file, or files, that kubectl would read."""
        return os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")

    @property
    def context(self) -> str:
        """The context that is meant; empty when there is none."""
        return os.environ.get(NAMED) or self._current()

    @property
    def access(self) -> Access:
        """The context that is meant, in the file that it is in."""
        return Access(Path(self.kubeconfig), self.context)

    def why_not(self) -> str:
        """There is no kubeconfig, or it names no context."""
        if not any(Path(path).is_file() for path in self.kubeconfig.split(os.pathsep)):
            return f"there is no kubeconfig at {self.kubeconfig}"
        return "" if self.context else f"{self.kubeconfig} names no current context"

    def runs(self) -> bool:
        """It is taken for running; the first request says if it is not."""
        return not self.why_not()

    def consented(self) -> bool:
        """Whether the context was named on purpose, or is the one in use already: same file, same name, same server."""
        if os.environ.get(NAMED):
            return True
        before = record.load(self.layout)
        if before is None or before.provider != self.name or before.access != self.access:
            return False
        return before.server == Kubernetes(self.access).url  # the same name may stand for another cluster by now

    def up(self, _owner: str, /) -> Access:
        """The context, once it is sure that it is meant; it goes on whoever owns it.

        Raises:
            UsageError: Nobody named it, and there is nobody to ask.
        """
        if not self.consented() and not self._asked():
            raise UsageError(
                "a cluster that was not made here is not touched without being asked for",
                where=f"context {self.context} in {self.kubeconfig}",
                why="it is the current context, and nobody said that it is meant",
                remedy=f"name it: --context {self.context} ({NAMED}); or FLOE_CLUSTER=kind or FLOE_CLUSTER=bare",
            )
        return self.access

    def load(self, archives: Sequence[Path]) -> None:
        """Nothing: its nodes pull, or hold the images already."""

    def stop(self) -> None:
        """Nothing: it is not ours."""

    def delete(self) -> None:
        """Nothing: it is not ours."""

    def _asked(self) -> bool:
        """Ask at a terminal; elsewhere the answer is no."""
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return False
        answer = input(f"install floe into the cluster of the context {self.context}? [y/N] ")
        return answer.strip().lower() in {"y", "yes"}

    def _current(self) -> str:
        for path in self.kubeconfig.split(os.pathsep):
            try:
                said = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
            except (OSError, yaml.YAMLError, ValueError, TypeError, RecursionError):
                continue
            if isinstance(said, dict) and said.get("current-context"):
                return str(said["current-context"])
        return ""
