"""The plan as it stands in this checkout: for people, for programs, and as a picture."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from floe_ops import ledger, plan, project


@dataclass(frozen=True)
class SessionView:
    """One session: where it stands in the plan and what `nox -s final` would do with it now."""

    session: str
    unit: str
    title: str
    phase: int
    requires: tuple[str, ...]
    state: str
    reason: str
    last_wall_s: float | None
    criteria_due: int
    criteria_planned: int


def current() -> list[SessionView]:
    """The plan held against the ledger, in an order that respects the requirements."""
    the_plan, root = plan.load(), project.root()
    decided = ledger.decide(root, force=False, now=datetime.now(UTC))
    records = ledger.read(root)
    views = []
    for session in the_plan.sessions.values():
        criteria = [one for one in the_plan.criteria.values() if one.unit == session.unit]
        due = sum(one.due in the_plan.delivered for one in criteria)
        views.append(
            SessionView(
                session=session.name,
                unit=session.unit,
                title=the_plan.units[session.unit],
                phase=session.phase,
                requires=session.requires,
                state=decided[session.name]["state"],
                reason=decided[session.name]["reason"],
                last_wall_s=records.get(session.name, {}).get("wall_s"),
                criteria_due=due,
                criteria_planned=len(criteria) - due,
            )
        )
    return views


def show(views: list[SessionView]) -> None:
    """Print the plan as a table."""
    from rich.table import Table
    from rich.text import Text

    from floe_ops.console import out

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("phase", "session", "state", "last run", "due"):
        table.add_column(title, no_wrap=True)
    table.add_column("reason", overflow="fold")
    for view in views:
        table.add_row(
            str(view.phase),
            view.session,
            Text(view.state.replace("_", " "), style="green" if view.state == "up_to_date" else "yellow"),
            "" if view.last_wall_s is None else f"{view.last_wall_s:.1f} s",
            f"{view.criteria_due}/{view.criteria_due + view.criteria_planned}",
            Text(view.reason + (f"; after {', '.join(view.requires)}" if view.requires else "")),
        )
    out().print(table)


def dump(views: list[SessionView]) -> None:
    """Print `{"sessions": [...]}`."""
    json.dump({"sessions": [asdict(view) for view in views]}, sys.stdout, indent=2)
    sys.stdout.write("\n")


def draw(views: list[SessionView], path: str) -> None:
    """Write the phase graph, without times or states, as an SVG file: the same bytes for the same plan."""
    import jinja2

    from floe_ops.report import graph

    units = [
        {
            "session": view.session,
            "requires": view.requires,
            "status": f"phase {view.phase}",
            "wall_s": 0.0,
        }
        for view in views
    ]
    template = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(graph.__file__).parent), autoescape=True, trim_blocks=True
    ).get_template("plan.svg.j2")
    titles = {view.session: f"{view.unit}, phase {view.phase}" for view in views}
    box = {"width": graph.WIDTH, "height": graph.HEIGHT}
    text = template.render(graph=graph.layout(units), titles=titles, box=box)
    Path(path).write_text(text, encoding="utf-8")
