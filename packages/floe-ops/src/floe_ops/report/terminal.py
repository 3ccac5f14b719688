"""The verdict on a terminal: one row a session, one line for what was not run, the headline last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

STYLES = {
    "passed": "green",
    "passed_stale": "yellow",
    "up_to_date": "green",
    "failed": "bold red",
    "blocked": "red",
    "not_run": "yellow",
    "planned": "dim",
}


def show(verdict: Mapping[str, Any], *, page: str) -> None:
    """Print the verdict; `page` is the report's path, empty where none was written."""
    from rich.text import Text

    from floe_ops.console import out

    console = out()
    console.print(_table(verdict))
    for unit in verdict["units"]:
        for criterion in unit["criteria"]:
            if criterion["status"] in {"failed", "blocked", "passed_stale"} or _incomplete(criterion, verdict):
                style = STYLES[criterion["status"]]
                console.print(Text(f"{criterion['id']} {criterion['status']}: {criterion['evidence']}", style=style))
    console.print(Text(_counts(verdict), style="dim"))
    bad = verdict["headline"] == "FAILED"
    good = verdict["headline"] == "PASSED"
    console.print(Text(verdict["headline"], style="bold red" if bad else "bold green" if good else "bold yellow"))
    if page:
        console.print(Text(f"report: {page}", style="dim"))


def _table(verdict: Mapping[str, Any]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title, justify in (("unit", "left"), ("session", "left"), ("status", "left"), ("time", "right")):
        table.add_column(title, justify="right" if justify == "right" else "left", no_wrap=True)
    table.add_column("criteria", justify="right", no_wrap=True)
    table.add_column("reason", overflow="fold")
    for unit in verdict["units"]:
        due = [one for one in unit["criteria"] if one["status"] not in {"planned", "not_run"}]
        good = [one for one in due if one["status"] in {"passed", "passed_stale", "up_to_date"}]
        table.add_row(
            unit["id"],
            unit["session"],
            Text(unit["status"], style=STYLES[unit["status"]]),
            f"{unit['wall_s']:.1f} s" if unit["status"] not in {"up_to_date", "blocked"} else "",
            f"{len(good)}/{len(due)}" if due else "",
            Text(unit["reason"]),
        )
    return table


def _incomplete(criterion: Mapping[str, Any], verdict: Mapping[str, Any]) -> bool:
    return criterion["status"] == "not_run" and criterion["id"] in verdict["headline"]


def _counts(verdict: Mapping[str, Any]) -> str:
    totals = ", ".join(f"{count} {name}" for name, count in verdict["totals"].items() if name != "not_run")
    planned = sum(one["status"] == "planned" for unit in verdict["units"] for one in unit["criteria"])
    advisories = verdict["advisories"]
    said = f"; advisories: {advisories['source']} of {advisories.get('date', '?')}" if advisories.get("source") else ""
    return (
        f"e2e: {totals}; criteria planned: {planned}, not run here: {verdict['totals']['not_run']}\n"
        f"target {verdict['target']}, catalog {verdict['catalog']}{said}; wall {verdict['wall_s']:.1f} s, "
        f"critical path {verdict['critical_path_s']:.1f} s; trace {verdict['trace_id']}"
    )
