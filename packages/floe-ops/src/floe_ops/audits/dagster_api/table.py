"""The audit on a terminal: one line a file and name, with its lifecycle and verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from floe_ops.audits.dagster_api.model import Report, Row

_STYLE = {"ok": "green", "watch": "yellow", "fail": "bold red"}


WIDTH = 180
"""Wide enough for the longest names also where there is no terminal: a cut name could not be searched for."""


def show(report: Report) -> None:
    """Print the table on standard output."""
    from rich.console import Console

    Console(width=WIDTH, highlight=False).print(table(report))


def table(report: Report) -> Table:
    """The rows of `report`, a name once a file with all of its lines."""
    from rich.markup import escape
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("file", "lines", "name", "lifecycle", "breaks in", "verdict"):
        shown.add_column(title, no_wrap=True)
    for row, lines in _grouped(report).items():
        cells = (row.file, _lines(lines), row.subject, row.lifecycle, row.breaking_version or "-")
        shown.add_row(*(escape(cell) for cell in cells), f"[{_STYLE[row.verdict]}]{row.verdict}[/]")
    return shown


def summary(report: Report) -> str:
    """One sentence with the figures and the versions that were asked."""
    figures = report.figures
    versions = ", ".join(f"{name} {version}" for name, version in report.libraries.items() if _asked(name))
    return (
        f"{figures['files']} files, {figures['names']} Dagster names, {figures['parameters']} parameters: "
        f"{figures['findings']} findings, {figures['watched']} to watch ({versions})"
    )


def _asked(distribution: str) -> bool:
    return distribution not in {"dagster-shared", "dagster-pipes"}  # always there, never imported by name


def _grouped(report: Report) -> dict[Row, list[int]]:
    from dataclasses import replace

    grouped: dict[Row, list[int]] = {}
    for row in report.rows:
        grouped.setdefault(replace(row, line=0), []).append(row.line)
    return grouped


def _lines(lines: list[int]) -> str:
    numbers = [str(line) for line in dict.fromkeys(lines) if line]
    return ",".join(numbers[:4]) + (",…" if len(numbers) > 4 else "")  # noqa: PLR2004 - four fit the column
