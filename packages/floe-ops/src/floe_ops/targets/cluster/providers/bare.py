"""The bare cluster of `testing/cluster`: a real single-node Kubernetes on this Linux machine, with no engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_ops.clients.kubernetes import Access
from floe_ops.targets import lease
from floe_ops.targets.cluster.providers.programs import run
from floe_ops.targets.cluster.providers.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Sequence

    from floe_ops.targets.cluster.record import ProviderName

PROGRAM = "bare-cluster"
CONTEXT = "bare"
UP_S, LOAD_S, DOWN_S, ASK_S = 1200.0, 300.0, 60.0, 30.0  # the first start may build Kubernetes


class BareProvider(Provider):
    """Started by the program `bare-cluster`; it goes on until it is told to end."""

    name: ProviderName = "bare"
    makes = True
    loads = True

    @property
    def access(self) -> Access:
        """By the administrator's kubeconfig, which is there while it runs."""
        return Access(self.layout.bare / "admin.kubeconfig", CONTEXT)

    def why_not(self) -> str:
        """It wants Linux, root, and its program."""
        if not sys.platform.startswith("linux"):
            return "it runs on Linux only"
        if os.geteuid() != 0:
            return "it wants root"
        return "" if self._program.is_file() else f"{PROGRAM} is not installed in {sys.prefix}"

    def runs(self) -> bool:
        """It says so itself."""
        return bool(self._status().get("ready"))

    def up(self, owner: str, /) -> Access:
        """Have it running; it ends by itself when the last process that it was started for is gone."""
        told = self._status()
        if told.get("ready") and owner in told.get("owners", ()):
            return self.access
        self._say("bare cluster: starting, or joining the one that runs")
        lent = () if owner == lease.DESK else ("--ends-with", owner)
        self._call("up", UP_S, *lent, what="the bare cluster does not come up")
        return self.access

    def load(self, archives: Sequence[Path]) -> None:
        """Import the archives, those that are not there yet."""
        self._call("load", LOAD_S, *map(str, archives), what="the bare cluster does not take the images")

    def stop(self) -> None:
        """End it and keep its state."""
        if self._program.is_file():
            self._call("down", DOWN_S, what="the bare cluster does not end")

    def let_go(self, gone: set[str], /) -> None:
        """Stop it, unless it has other owners of its own: somebody may have started it by hand."""
        if not set(map(str, self._status().get("owners") or ())) - gone:
            self.stop()

    def delete(self) -> None:
        """End it and wipe its state."""
        if self._program.is_file():
            self._call("down", DOWN_S, "--wipe", what="the bare cluster does not end")

    def _status(self) -> dict[str, Any]:
        """What it tells of itself; its exit code says the same and is no failure of the call."""
        words = [str(self._program), "status", "--state", str(self.layout.bare), "--json"]
        try:
            done = subprocess.run(  # noqa: S603 - our own words
                words, capture_output=True, text=True, timeout=ASK_S, check=False, stdin=subprocess.DEVNULL
            )
            said = json.loads(done.stdout)
        except (OSError, subprocess.TimeoutExpired, ValueError, RecursionError):
            return {}
        return said if isinstance(said, dict) else {}

    def _call(self, command: str, timeout_s: float, *more: str, what: str) -> str:
        words = [str(self._program), command, "--state", str(self.layout.bare), *more]
        return run(words, timeout_s, what=what)

    @property
    def _program(self) -> Path:
        return Path(sys.prefix) / "bin" / PROGRAM
