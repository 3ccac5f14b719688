"""Tests of the chart's `bootstrap.sh`, run for real with a stand-in for the admin tool."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from floe_ops import project

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = project.root() / "charts/floe-platform/files/polaris/bootstrap.sh"
ADMIN_TOOL = "/opt/jboss/container/java/run/run-java.sh"


def _run(work: Path, code: int) -> subprocess.CompletedProcess[str]:
    """The script where the admin tool shows the credentials it was given and ends with `code`."""
    tool = work / "admin-tool"
    tool.write_text(f'#!/bin/sh\ncat "$3"\nexit {code}\n')
    tool.chmod(0o755)
    text = SCRIPT.read_text()
    assert ADMIN_TOOL in text
    return subprocess.run(
        ["/bin/sh", "-c", text.replace(ADMIN_TOOL, str(tool))],
        env={"WORK": str(work), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_a_failed_attempt_leaves_what_the_next_one_needs(tmp_path: Path) -> None:
    """Kubernetes runs the failed init container again, not the one that left the credentials."""
    credentials = tmp_path / "credentials.json"
    credentials.write_text("the credentials")

    failed = _run(tmp_path, code=1)
    assert (failed.returncode, failed.stdout) == (1, "the credentials")
    assert credentials.exists()

    done = _run(tmp_path, code=0)
    assert (done.returncode, done.stdout) == (0, "the credentials")
    assert not credentials.exists()


def test_a_realm_that_is_there_is_left_alone(tmp_path: Path) -> None:
    """Without credentials there is nothing to do, and the admin tool is not run."""
    done = _run(tmp_path, code=1)
    assert (done.returncode, done.stdout) == (0, "bootstrap: nothing to do\n")
