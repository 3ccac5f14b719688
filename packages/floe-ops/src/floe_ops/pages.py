"""The generated pages of docs/: the plan, and the reference. Checked in, and checked to be current."""

from __future__ import annotations

import tempfile
from pathlib import Path

from floe_core.errors import WrongStateError

from floe_ops import plan, plan_view, project
from floe_ops.reference import PAGES


def write(folder: Path) -> None:
    """Write every generated page into `folder`."""
    (folder / "plan.md").write_text(_plan_page(), encoding="utf-8")
    plan_view.draw(plan_view.current(), str(folder / "plan.svg"))
    (folder / "reference").mkdir(exist_ok=True)
    for name, text in PAGES.items():
        (folder / "reference" / name).write_text(text(), encoding="utf-8")


def check() -> None:
    """Hold the checked-in pages against what would be written now.

    Raises:
        WrongStateError: A page differs or is missing.
    """
    docs = project.root() / "docs"
    with tempfile.TemporaryDirectory(prefix="floe-docs-") as scratch:
        write(Path(scratch))
        made = {path.relative_to(scratch): path.read_bytes() for path in Path(scratch).rglob("*") if path.is_file()}
        left = {path.relative_to(docs) for path in (docs / "reference").glob("*")} - set(made)
        old = sorted(str(name) for name in {one for one in made if _content(docs / one) != made[one]} | left)
    if old:
        raise WrongStateError(
            f"generated pages are out of date: {', '.join(old)}",
            where=str(docs),
            remedy="run `invoke final.docs --write` and commit them",
        )


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _plan_page() -> str:
    the_plan = plan.load()
    lines = [
        "# The plan",
        "",
        "Generated from `plan.toml` (`invoke final.docs --write`). A criterion is due when the issue in its last",
        f"column is delivered; delivered so far: {', '.join(sorted(the_plan.delivered))}.",
        "",
        "![The sessions and what they require](plan.svg)",
    ]
    for unit, title in the_plan.units.items():
        sessions = [one for one in the_plan.sessions.values() if one.unit == unit]
        named = ", ".join(f"`{one.name}` (phase {one.phase})" for one in sessions)
        lines += ["", f"## {unit} {title}", "", f"Sessions: {named}", ""]
        lines += ["| criterion | shows | tasks | targets | issue |", "|---|---|---|---|---|"]
        lines += [
            f"| {one.id} | {one.title} | {', '.join(one.tasks)} | {', '.join(one.targets)} | {one.due} |"
            for one in the_plan.criteria.values()
            if one.unit == unit
        ]
    lines += ["", "## Tasks", "", "| task | what |", "|---|---|"]
    lines += [f"| {name} | {title} |" for name, title in the_plan.tasks.items()]
    return "\n".join(lines) + "\n"
