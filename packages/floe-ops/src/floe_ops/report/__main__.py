"""`python -m floe_ops.report RUN`: show the verdict of a run, write its page, end the services that it leased."""

from __future__ import annotations

import html
import json
import os
import sys
from pathlib import Path

from floe_ops import project
from floe_ops.report import terminal


def main(run: Path) -> int:
    """Show what `RUN/verdict.json` says; the page is written only when the whole plan was asked for."""
    verdict = json.loads((run / "verdict.json").read_text(encoding="utf-8"))
    ran = any(unit["status"] != "up_to_date" for unit in verdict["units"])
    whole = any(unit["session"] == "final" for unit in verdict["units"])
    folder = project.root() / ".floe" / "report"
    if ran or (whole and not _says(folder / "index.html", verdict["headline"])):
        from floe_ops.report import closing, page

        trace = closing.trace_of(verdict["trace_id"]) if ran else None
        if whole:
            page.write(folder, verdict, trace)
    terminal.show(verdict, page=".floe/report/index.html" if whole else "")
    if ran:
        closing.release(int(os.environ.get("FLOE_RUN_PID", "0")))
    return 0


def _says(page: Path, headline: str) -> bool:
    """Whether the page that lies there is of a run that ended the same: then its trace is worth keeping."""
    return page.exists() and f"<title>floe: {html.escape(headline)}</title>" in page.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
