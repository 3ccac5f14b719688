"""Whatever Dagster kept for a sensor, and whatever stands where dbt left its manifest."""

from __future__ import annotations

import tempfile
from pathlib import Path

from floe_core.testing.any_input import BOUNDED, inputs, lives_through
from floe_orchestrator_dagster.resources.dbt_resource import DbtResource
from floe_orchestrator_dagster.sensors import _remembered
from hypothesis import given


@BOUNDED
@given(inputs({"healthy": True, "returns": 2}))
def test_any_cursor_is_read_or_as_none(raw: bytes) -> None:
    lives_through(lambda: _remembered(raw.decode("utf-8", "replace")))


@BOUNDED
@given(inputs({"nodes": {}}))
def test_any_manifest_is_read_or_refused(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state", "target", "manifest.json")
        path.parent.mkdir(parents=True)
        path.write_bytes(raw)
        project = Path(folder, "project")
        project.mkdir()
        resource = DbtResource(
            project_dir=str(project),
            profiles_dir=str(project),
            state_dir=str(path.parents[1]),
            target="duckdb",
            environment={},
        )
        lives_through(resource.manifest)
