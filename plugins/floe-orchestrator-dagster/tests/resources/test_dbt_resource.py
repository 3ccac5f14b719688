"""What the dbt resource keeps: one manifest for all who load at once, and the artifacts of the last runs."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from floe_core.plugins import DbtCommand, DbtResult
from floe_orchestrator_dagster.resources import dbt_resource
from floe_orchestrator_dagster.resources.dbt_resource import DbtResource


class Parser:
    """Stands for dbt: writes a manifest in two pieces, so that who does not wait reads half of one."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, command: DbtCommand, target: Path, *_: Any) -> DbtResult:
        self.times += 1
        target.mkdir(parents=True, exist_ok=True)
        (target / "manifest.json").write_text('{"nodes": {}')
        with (target / "manifest.json").open("a") as rest:
            os.fsync(rest.fileno())  # lets the others run
            rest.write("}")
        return DbtResult(command, success=True, elapsed_s=0.0)


@pytest.fixture
def resource(tmp_path: Path) -> DbtResource:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "dbt_project.yml").write_text("name: shop")
    project, state = str(tmp_path / "project"), str(tmp_path / "state")
    return DbtResource(project_dir=project, profiles_dir=project, state_dir=state, target="duckdb")


def test_of_many_who_load_at_once_one_parses(resource: DbtResource, monkeypatch: pytest.MonkeyPatch) -> None:
    parser = Parser()
    monkeypatch.setattr(DbtResource, "_run", lambda _resource, *words: parser(*words))
    with ThreadPoolExecutor(8) as pool:
        manifests = list(pool.map(lambda _: resource.manifest(), range(8)))
    assert manifests == [{"nodes": {}}] * 8
    assert parser.times == 1


def test_artifacts_of_old_runs_go(resource: DbtResource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DbtResource, "_run", lambda *words: DbtResult(words[1], success=True, elapsed_s=0.0))
    runs = Path(resource.state_dir) / "runs"
    for number in range(dbt_resource._KEPT_RUNS + 5):
        resource.build(f"run-{number:03}", select=(), on_node=lambda _node: None)
        os.utime(runs / f"run-{number:03}", ns=(number, number))
    resource.build("last", select=(), on_node=lambda _node: None)
    kept = sorted(run.name for run in runs.iterdir())
    assert len(kept) == dbt_resource._KEPT_RUNS
    assert {"last", "run-024"} <= set(kept)
    assert "run-005" not in kept
