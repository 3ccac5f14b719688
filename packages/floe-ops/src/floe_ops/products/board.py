"""What is shown of products that are built side by side: a line a product on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from floe_ops.console import err, out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.table import Table

_SHOWN = frozenset({"model", "seed", "snapshot"})
_GOOD = frozenset({"success", "pass"})


@dataclass
class Row:
    """How far one product is."""

    step: str = "waits for a core"
    running: list[str] = field(default_factory=list)
    done: int = 0
    failed: int = 0
    began: float = 0.0
    took: float = 0.0
    sign: str = " "


class Lines:
    """Plain lines, each with its product in front."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def told(self, product: str, kind: str, said: dict[str, Any]) -> None:
        """Write what a worker tells."""
        text = _line(kind, said)
        if text:
            self._console.print(f"[{product}] {text}", markup=False)
            self._console.file.flush()

    def idle(self) -> None:
        """Nothing moves in a log."""


class Live(Lines):
    """One line a product that moves, drawn by whoever calls `idle`: no thread is started."""

    def __init__(self, console: Console, products: list[str]) -> None:
        from rich.live import Live as Drawn

        super().__init__(console)
        self._rows = {name: Row() for name in products}
        self._drawn = Drawn(self._table(), console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        self._drawn.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._drawn.stop()

    def told(self, product: str, kind: str, said: dict[str, Any]) -> None:
        """Move the product's line; what went wrong is written above."""
        row = self._rows[product]
        if kind == "began":
            row.step, row.running = str(said["step"]), []
            row.began = row.began or time.monotonic()
        elif kind == "node_began":
            row.running.append(str(said["name"]))
        elif kind == "node_ended":
            row.running = [name for name in row.running if name != said["name"]]
            row.done += 1
            row.failed += said["status"] not in _GOOD
        elif kind in {"result", "failure"}:
            row.sign = "✓" if kind == "result" else "✗"
            row.step, row.running = ("done" if kind == "result" else str(said["what"])), []
            row.took = time.monotonic() - row.began
        if kind == "noted" or (kind == "node_ended" and said["status"] not in _GOOD):
            super().told(product, kind, said)

    def idle(self) -> None:
        """Draw it anew."""
        self._drawn.update(self._table(), refresh=True)

    def _table(self) -> Table:
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        for name, row in self._rows.items():
            took = row.took or (time.monotonic() - row.began if row.began else 0.0)
            nodes = f"{row.done} nodes" + (f", {row.failed} failed" if row.failed else "")
            table.add_row(row.sign, name, f"{took:.1f} s", nodes, row.step, " ".join(row.running[:3]))
        return table


@contextmanager
def shown(products: list[str], *, as_json: bool) -> Iterator[Lines]:
    """The board for this standard output; with `as_json` that is free for the result, and lines go to the other."""
    console = err() if as_json else out()
    if not console.is_terminal:
        yield Lines(console)
        return
    with Live(console, products) as live:
        yield live


def _line(kind: str, said: dict[str, Any]) -> str:
    if kind == "ended":
        return f"{said['step']}  {said['seconds']:.2f} s"
    if kind == "node_ended" and (said["type"] in _SHOWN or said["status"] not in _GOOD):
        rows = f"  {said['rows']} rows" if said["rows"] is not None and said["type"] in _SHOWN else ""
        took = f"  {said['seconds']:.2f} s" if said["seconds"] is not None else ""
        return f"  {said['type']} {said['name']}: {said['status']}{rows}{took}"
    if kind == "found":
        return f"  iceberg {said['name']}: {said['rows']} rows, snapshot {said['snapshot_id']}"
    if kind == "noted":
        return f"! {said['note']}"
    return f"✗ {said['what']}" if kind == "failure" else ""
