"""What a build left undone, so that the next one can do that alone.

The file says which of dbt's commands was running, and which of its nodes failed. It is written before a command
begins, so a build that was killed in the middle of one does all of that command again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from floe_core.errors import UsageError
from floe_core.plugins import DbtCommand
from floe_core.running.order import SEQUENCE, Work

if TYPE_CHECKING:
    from pathlib import Path

    from floe_core.plugins import DbtResult

_BUILDING: Final = frozenset({DbtCommand.SEED, DbtCommand.RUN})


@dataclass(frozen=True)
class Undone:
    """Where a build stopped.

    Attributes:
        command: The command that did not end well; those before it have, and those after it never began.
        nodes: The nodes of it that failed; empty for all of them.
    """

    command: DbtCommand
    nodes: tuple[str, ...] = ()

    def select(self) -> tuple[str, ...]:
        """The selection for dbt: the nodes, and what depends on them where the command builds."""
        after = "+" if self.command in _BUILDING else ""
        return tuple(f"{name}{after}" for name in self.nodes)

    def rest(self, work: Work) -> tuple[DbtCommand, ...]:
        """The commands that are still to be run; packages are asked for again, which costs nothing."""
        sequence = SEQUENCE[work]
        left = sequence[sequence.index(self.command) :] if self.command in sequence else sequence
        return left if DbtCommand.DEPS in left else (DbtCommand.DEPS, *left)


def begun(file: Path, command: DbtCommand) -> None:
    """A command begins."""
    _write(file, command, ())


def failed(file: Path, command: DbtCommand, result: DbtResult) -> None:
    """A command ended, and some of its nodes failed."""
    _write(file, command, tuple(node.name for node in result.failures))


def done(file: Path) -> None:
    """All commands ended well."""
    file.unlink(missing_ok=True)


def left(file: Path, product: str) -> Undone:
    """What the last build left undone.

    Raises:
        UsageError: There is nothing.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return Undone(DbtCommand(found["command"]), tuple(str(name) for name in found["nodes"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(
            f"{product} has nothing to be tried again",
            where=str(file),
            why="its last build ended well, or it was never built in this lane",
            remedy="leave --retry out to build it",
        ) from None


def _write(file: Path, command: DbtCommand, nodes: tuple[str, ...]) -> None:
    from floe_core.compilation.write import write_atomic

    write_atomic(file, json.dumps({"command": command.value, "nodes": nodes}) + "\n")
