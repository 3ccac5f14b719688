"""The workflows run the commands of the README, with no more rights than they need."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from floe_ops import project

ROOT = project.root()
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$")


def load(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_ci_runs_the_commands_of_the_readme() -> None:
    jobs = load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    commands = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert commands == {
        "lint": ["./noxw -s lint docs"],
        "tests": ["./noxw -s tests"],
        "final": ["./noxw -s final"],
    }


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_rights_are_least_and_no_published_workflow_takes_old_advisories(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert "write-all" not in str(job["permissions"])
        assert job["timeout-minutes"] <= 60
    text = path.read_text(encoding="utf-8")
    assert "allow-stale-advisories" not in text
    assert "FLOE_ALLOW_STALE" not in text


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_commit_with_its_version(path: Path) -> None:
    uses = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert uses
    assert [line for line in uses if not PINNED.search(line)] == []


def test_zizmor_finds_nothing_and_no_rule_is_disabled() -> None:
    assert not list(ROOT.glob("zizmor.y*ml"))
    assert not list((ROOT / ".github").glob("zizmor.y*ml"))
    assert all("zizmor: ignore" not in path.read_text(encoding="utf-8") for path in WORKFLOWS)
    zizmor = Path(sys.executable).with_name("zizmor")
    done = subprocess.run(
        [str(zizmor), "--offline", ".github"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout
