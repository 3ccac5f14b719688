"""How a build is shown while it goes on: a line a node, and on a terminal also what is running now."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

from floe_core.cli.logs import of_platform
from floe_core.running.outcome import Listener, Outcome, Step, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import Progress, TaskID

    from floe_core.cli.logs import Log
    from floe_core.compilation import CompiledArtifacts
    from floe_core.plugins import DbtNode, SemanticResult, TableState

_GOOD: Final = frozenset({"success", "pass"})
_SIGNS: Final = {"warn": "!", "skipped": "-"}


class Logged(Listener):
    """Logs as the platform wants, once it is known."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def compiled(self, artifacts: CompiledArtifacts) -> None:
        """Take over the platform's level and format."""
        self._log = of_platform(artifacts.logging)
        self._log.write("debug", "compiled", product=artifacts.metadata.product_name, models=len(artifacts.models))


class Silent(Logged):
    """Writes nothing but log lines: for `--json`."""

    def ended(self, step: Step) -> None:
        """Log the step."""
        self._log.write("info", "step_ended", step=step.name, seconds=round(step.seconds, 3))

    def node_ended(self, node: DbtNode) -> None:
        """Log the node."""
        level = "info" if node.status in _GOOD else "warning"
        self._log.write(level, "node_ended", node=node.unique_id, status=node.status, seconds=seconds(node))

    def noted(self, note: str) -> None:
        """Log the note."""
        self._log.write("warning", "noted", note=note)


class Lines(Logged):
    """Writes a line for each node as it ends."""

    def __init__(self, log: Log) -> None:
        super().__init__(log)
        self._lock = threading.Lock()

    def ended(self, step: Step) -> None:
        """Log the step; its time is told at the end."""
        self._log.write("debug", "step_ended", step=step.name, seconds=round(step.seconds, 3))

    def node_ended(self, node: DbtNode) -> None:
        """Write what the node did."""
        with self._lock:
            self._write(line(node))
        self._log.write("debug", "node_ended", node=node.unique_id, status=node.status, seconds=seconds(node))

    def loaded(self, table: str, rows: int) -> None:
        """Write which table was loaded."""
        with self._lock:
            self._write(f"  ✓ source {table:<43} {f'{rows} rows':>12}")

    def found(self, table: TableState) -> None:
        """Write what the catalog has."""
        with self._lock:
            self._write(f"  ✓ iceberg {table.name:<42} {f'{table.rows} rows':>12}  snapshot {table.snapshot_id}")

    def described(self, result: SemanticResult) -> None:
        """Write how many files the semantic layer has."""
        with self._lock:
            self._write(f"  ✓ semantic layer {f'{len(result.files)} files':>50}")

    def noted(self, note: str) -> None:
        """Write the note."""
        click.echo(f"! {note}", err=True)

    def _write(self, text: str) -> None:
        click.echo(text)


class Live(Lines):
    """Writes the same lines on a terminal, and below them what is running now."""

    def __init__(self, log: Log, console: Console, progress: Progress) -> None:
        super().__init__(log)
        self._console = console
        self._progress = progress
        self._running: dict[str, TaskID] = {}
        self._step: TaskID | None = None

    def began(self, step: str) -> None:
        """Show the step as running."""
        if self._step is not None:
            self._progress.remove_task(self._step)
        self._step = self._progress.add_task(step, total=None)

    def node_began(self, node: DbtNode) -> None:
        """Show the node as running."""
        with self._lock:
            self._running[node.unique_id] = self._progress.add_task(f"  {node.resource_type} {node.name}", total=None)

    def node_ended(self, node: DbtNode) -> None:
        """Write what the node did, and show it no more."""
        with self._lock:
            task = self._running.pop(node.unique_id, None)
            if task is not None:
                self._progress.remove_task(task)
        super().node_ended(node)

    def noted(self, note: str) -> None:
        """Write the note above what is running."""
        self._console.print(f"! {note}", style="yellow", markup=False, highlight=False)

    def _write(self, text: str) -> None:
        style = {"✓": "green", "✗": "red", "!": "yellow"}.get(text.strip()[:1], "dim")
        self._console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def shown(log: Log, *, as_json: bool) -> Iterator[Listener]:
    """The listener for this standard output."""
    if as_json:
        yield Silent(log)
        return
    if not sys.stdout.isatty():
        yield Lines(log)
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console()
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield Live(log, console, progress)


def line(node: DbtNode) -> str:
    """One node as a line: what it is, how it ended, its rows and its time."""
    sign = "✓" if node.status in _GOOD else _SIGNS.get(node.status, "✗")
    took, rows = seconds(node), "" if node.rows is None or node.resource_type == "test" else f"{node.rows} rows"
    status = "" if node.status in _GOOD else node.status
    text = f"  {sign} {node.resource_type} {node.name:<44} {status or rows:>12}  "
    return (text + (f"{took:.2f} s" if took is not None else "")).rstrip()


def closing(outcome: Outcome) -> str:
    """The lines after a build: what it came to, and where its time went."""
    counts: dict[str, int] = {}
    for node in outcome.nodes:
        if node.status in _GOOD:
            kind = node.resource_type.replace("_", " ")
            counts[kind] = counts.get(kind, 0) + 1
    what = ", ".join(f"{count} {kind if count == 1 else kind + 's'}" for kind, count in counts.items()) or "nothing"
    times = " · ".join(f"{step.name} {step.seconds:.2f} s" for step in outcome.steps)
    lines = [f"  {times} · in all {outcome.elapsed_s:.2f} s"]
    if outcome.quality is not None:
        judged = "meets" if outcome.quality.passed else "is below"
        lines.append(
            f"  quality {outcome.quality.score:.3f} over {outcome.quality.checks} checks {judged} the threshold"
        )
    verb = {"run": "built", "test": "passed", "build": "built and passed"}[outcome.command]
    if outcome.released:
        lines.append(f"  released as version {outcome.released}: each output port has the tag v{outcome.released}")
    if outcome.success:
        lines.append(f"✓ {outcome.product}, lane {outcome.lane}: {what} {verb}")
    return "\n".join(lines)


def other_failures(outcome: Outcome) -> str:
    """The failed nodes after the first, which the failure itself names; a line each."""
    lines = []
    for node in outcome.failed_nodes[1:]:
        reason = node.message.splitlines()[0] if node.message else node.status
        lines.append(f"  also: {node.resource_type} {node.name}: {reason}  ({node.compiled or node.path})")
    return "\n".join(lines)
