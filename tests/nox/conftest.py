"""A checkout in which the sessions are real and their Invoke tasks are not: the noxfile, the ledger, the verdict."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from floe_ops import environment

ROOT = Path(__file__).resolve().parents[2]
INVOKE = """#!/bin/sh
# Stands for the environment's Python: `-m invoke` does what the test asks, the report is left to the fallback.
case "$2" in invoke) ;; *) exit 1 ;; esac
slug=$(printf %s "$FLOE_SESSION" | tr '(' '-' | tr -d ')')
echo "a line from $FLOE_SESSION, final [$FLOE_FINAL], target $FLOE_TARGET"
if [ "$FLOE_SESSION" = "${BREAK:-}" ]; then
    echo '{"task": "planted", "what": "a planted failure", "where": "here.py:1", "why": "", "remedy": ""}' \\
        > "$FLOE_RUN_DIR/$slug.failure.json"
    exit 4
fi
if [ "$FLOE_SESSION" = "${HANG:-}" ]; then
    exec "$REAL_PYTHON" "$FLOE_ROOT/hang.py"
fi
"""
HANG = """
import os, subprocess, sys
from floe_ops import orphans
orphans.end_with(int(os.environ.pop("FLOE_PARENT_PID")))
orphans.exit_on_sigterm()
child = subprocess.Popen(["sleep", "300"])
try:
    open(os.environ["HANGING"], "w").write(f"{os.getpid()} {child.pid}")
    child.wait()
finally:
    child.kill()
"""


@dataclass
class Checkout:
    """A git checkout at `path`; `nox()` runs sessions in it."""

    path: Path
    environ: dict[str, str] = field(default_factory=dict)

    def words(self, *sessions: str, options: tuple[str, ...] = ()) -> list[str]:
        return [sys.executable, "-m", "nox", "-f", str(self.path / "noxfile.py"), *options, "-s", *sessions]

    def env(self, **more: str) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("FLOE_", "NOX", "CI"))}
        return {**kept, "REAL_PYTHON": sys.executable, **self.environ, **more}

    def nox(self, *sessions: str, options: tuple[str, ...] = (), **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.words(*sessions, options=options), env=self.env(**more), capture_output=True, text=True, check=False
        )

    @property
    def ran(self) -> set[str]:
        """The sessions that the newest run has come to."""
        newest = max((self.path / ".floe/run").iterdir(), key=lambda run: run.stat().st_mtime_ns)
        return {json.loads(path.read_text())["session"] for path in newest.glob("*.session.json")}

    def verdict(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.path / ".floe/report/verdict.json").read_text())
        return content

    def statuses(self) -> dict[str, str]:
        return {unit["session"]: unit["status"] for unit in self.verdict()["units"]}

    def renew(self) -> None:
        """Say that the environment is whole, after the checkout has moved."""
        (self.path / ".venv/floe-stamp").write_text(environment.digest(self.path))

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.path, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    path = tmp_path / "a checkout"
    shutil.copytree(ROOT / "packages/floe-ops/src/floe_ops", path / "packages/floe-ops/src/floe_ops")
    shutil.copy(ROOT / "noxfile.py", path)
    (path / "uv.lock").write_text("")
    (path / "pyproject.toml").write_text("")
    (path / "demo").mkdir()
    (path / "demo/model.sql").write_text("select 1")
    (path / ".gitignore").write_text(".floe/\n.venv/\n__pycache__/\n")
    (path / "hang.py").write_text(HANG)
    python = path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(INVOKE)
    python.chmod(0o755)
    (path / ".venv/floe-stamp").write_text(environment.digest(path))
    here = Checkout(path)
    here.git("init", "-q")
    here.git("add", "-A")
    here.git("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "start")
    return here
