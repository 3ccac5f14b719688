"""The reference page of the chart's values, from values.yaml itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml
from floe_core.errors import WrongStateError

from floe_ops import project
from floe_ops.chart import keys
from floe_ops.reference.markdown import code, table

if TYPE_CHECKING:
    from pathlib import Path

CHART = "charts/floe-platform"
SUBCHART = f"{CHART}/charts/cube"
SHOWN = 80  # characters of a default


def page() -> str:
    """The page of the chart.

    Raises:
        WrongStateError: A key has no comment; every one is named.
    """
    root = project.root()
    bare = [one for chart in (CHART, SUBCHART) for one in keys.undocumented(root / chart / "values.yaml")]
    if bare:
        raise WrongStateError(
            f"{len(bare)} keys of the chart are not documented",
            where=f"{CHART}/values.yaml and {SUBCHART}/values.yaml",
            why=", ".join(bare),
            remedy=f"write `{keys.MARK} What it is for.` in the line above each",
        )
    lines = [
        "# The chart",
        "",
        "Generated from `values.yaml` (`invoke final.docs --write`). A key that is not listed is refused by the",
        "schema. Empty defaults are left out.",
    ]
    for chart in (CHART, SUBCHART):
        lines += _chart(root / chart)
    return "\n".join(lines) + "\n"


def _chart(folder: Path) -> list[str]:
    about = yaml.safe_load((folder / "Chart.yaml").read_text(encoding="utf-8"))
    lines = ["", f"## {about['name']}", "", " ".join(str(about.get("description", "")).split())]
    every = keys.read(folder / "values.yaml")
    alone = [key for key in every if "." not in key.path and key.default]
    rows = _rows(alone)
    lines += ["", *rows] if rows else []
    for head in (key for key in every if "." not in key.path and not key.default):
        lines += ["", f"### `{head.path}`", "", head.meaning, ""]
        lines += _rows([key for key in every if key.top == head.path and key is not head])
    return lines


def _rows(found: list[keys.Key]) -> list[str]:
    return table(["key", "default", "what"], ((code(key.path), _default(key.default), key.meaning) for key in found))


def _default(text: str) -> str:
    return code(text if len(text) <= SHOWN else f"{text[:SHOWN]}…") if text not in {"''", "{}", "[]"} else ""
