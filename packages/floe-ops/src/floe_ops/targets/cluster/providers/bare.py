"""The bare cluster of `testing/cluster`: a real single-node Kubernetes on this Linux machine, with no engine."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_core.errors import (
    CredentialsRefusedError,
    FloeError,
    MissingToolError,
    NotReadyError,
    UsageError,
    WrongStateError,
)

from floe_ops.clients.kubernetes import Access
from floe_ops.targets import lease
from floe_ops.targets.cluster.providers.programs import finish, last_words
from floe_ops.targets.cluster.providers.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Sequence
    from subprocess import CompletedProcess

    from floe_ops.targets.cluster.record import ProviderName

PROGRAM = "bare-cluster"
CONTEXT = "bare"
ERRORS: dict[int, type[FloeError]] = {
    int(error.exit_code): error
    for error in (UsageError, CredentialsRefusedError, WrongStateError, MissingToolError, NotReadyError)
}
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
        """It wants Linux, root, and its program, which then says what else is missing."""
        if not sys.platform.startswith("linux"):
            return "it runs on Linux only"
        if os.geteuid() != 0:
            return "it wants root"
        if not self._program.is_file():
            return f"{PROGRAM} is not installed in {sys.prefix}"
        return "" if self.access.kubeconfig.is_file() else self._lacks()  # where it runs, nothing is missing

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
            return _said(finish(words, ASK_S, what="the bare cluster does not tell how it is"))
        except FloeError:
            return {}

    def _lacks(self) -> str:
        """What this machine lacks to be a node and how to get it, in the program's own words; empty for nothing."""
        words = [str(self._program), "prepare", "--state", str(self.layout.bare), "--json"]
        try:
            done = finish(words, ASK_S, what=f"`{PROGRAM} prepare` does not say what this machine lacks")
            lacks = _said(done)["lacks"]
            return "; ".join(f"it lacks {lack['what']} ({lack['remedy']})" for lack in lacks)
        except FloeError as error:
            return f"{error.what}: {error.why}"
        except (LookupError, TypeError):
            return f"`{PROGRAM} prepare` does not say what this machine lacks: {last_words(done)}"

    def _call(self, command: str, timeout_s: float, *more: str, what: str) -> None:
        """Call the program; its exit codes are those of our own errors, and come back as these with its words."""
        words = [str(self._program), command, "--state", str(self.layout.bare), "--json", *more]
        done = finish(words, timeout_s, what=what)
        if not done.returncode:
            return
        error, said = ERRORS.get(done.returncode, FloeError), _said(done)
        raise error(
            what,
            where=str(said.get("where") or " ".join(words)),
            why=f"{said['what']}: {said.get('why', '')}".rstrip(": ") if "what" in said else last_words(done),
            remedy=str(said.get("remedy") or "see `invoke platform.doctor --target cluster`"),
        )

    @property
    def _program(self) -> Path:
        return Path(sys.prefix) / "bin" / PROGRAM


def _said(done: CompletedProcess[str]) -> dict[str, Any]:
    """The JSON object on its standard output; empty where there is none."""
    try:
        said = json.loads(done.stdout)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
