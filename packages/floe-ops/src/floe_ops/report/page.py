"""The report page: one self-contained HTML file, nothing fetched, no script, every value escaped.

The content security policy allows the page's own style sheet by its hash and nothing else, so that data (a model
named `<script>`) can at worst look odd.
"""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_ops.report import graph

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
LINKS = ("http://", "https://")


def write(folder: Path, verdict: Mapping[str, Any], trace: Mapping[str, Any] | None) -> Path:
    """Write `folder/index.html` whole or not at all and return its path.

    Args:
        folder: Where the report goes.
        verdict: The content of verdict.json.
        trace: The run's trace as `floe_ops.waterfall` gives it, with `ui`, or None where there is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    half = folder / f".index.{os.getpid()}"
    half.write_text(render(verdict, trace), encoding="utf-8")
    half.replace(path)
    return path


def render(verdict: Mapping[str, Any], trace: Mapping[str, Any] | None) -> str:
    """The page as text."""
    import jinja2

    style = (HERE / "page.css").read_text(encoding="utf-8")
    template = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    ).get_template("page.html.j2")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    not_run = [one for unit in verdict["units"] for one in unit["criteria"] if one["status"] == "not_run"]
    return template.render(
        verdict=verdict,
        headline=verdict["headline"].split(" ")[0].strip(":").lower(),
        graph=graph.layout(verdict["units"]),
        box={"width": graph.WIDTH, "height": graph.HEIGHT},
        not_run=not_run,
        trace=trace and {**trace, "ui": trace["ui"] if trace["ui"].startswith(LINKS) else ""},
        style=style,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
    )
