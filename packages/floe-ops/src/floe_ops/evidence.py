"""Evidence: what a session saw for a criterion, appended to the run's folder as JSON lines.

One line a fact: `{"criterion": "WU1-AC1", "status": "passed", "evidence": "…", "source": "…"}`. Outside of a
run (a task called at a desk) nothing is written. Standard library only.
"""

from __future__ import annotations

import json
import os
from typing import Literal

from floe_ops import plan, project

Outcome = Literal["passed", "passed_stale", "failed", "not_run"]


def record(criterion: str, status: Outcome, evidence: str, *, source: str = "") -> None:
    """Append one fact about `criterion`; `evidence` is a sentence with the figure or value that was seen."""
    folder = project.run_dir()
    if folder is None:
        return
    session = os.environ.get("FLOE_SESSION", "desk")
    line = json.dumps({"criterion": criterion, "status": status, "evidence": evidence, "source": source or session})
    path = folder / f"{plan.slug(session)}.evidence.jsonl"
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(fd, (line + "\n").encode())  # one write under O_APPEND: whole lines, also from several processes
    finally:
        os.close(fd)
