from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from dagster import AssetKey, DagsterInstance, DefaultScheduleStatus
from dagster._core.definitions.reconstruct import repository_def_from_target_def
from dagster._core.workspace.autodiscovery import loadable_targets_from_python_file
from floe_core.compilation import compile_bundle, compile_outputs, write_outputs
from floe_core.plugins import DbtProjectError
from floe_orchestrator_dagster.loader import load_product_definitions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


MANIFEST = (
    "apiVersion: floe.dev/v1\nkind: Manifest\nmetadata: { name: bench, version: 1.0.0, owner: us }\n"
    "plugins: { compute: { type: duckdb }, orchestrator: { type: dagster } }\n"
)
SCHEDULE = "schedule: { cron: '15 4 * * 1', timezone: Europe/Berlin, enabled: %s }\n"


@pytest.mark.parametrize(
    ("enabled", "status"), [("true", DefaultScheduleStatus.RUNNING), ("false", DefaultScheduleStatus.STOPPED)]
)
def test_the_schedule_of_floe_yaml_is_wired(
    make_product: Callable[..., Path],
    tmp_path: Path,
    enabled: str,
    status: DefaultScheduleStatus,
) -> None:
    folder = make_product(SCHEDULE % enabled, parsed=True)
    repository = load_product_definitions(folder, state=tmp_path / "state").get_repository_def()
    (schedule,) = repository.schedule_defs
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("15 4 * * 1", "Europe/Berlin")
    assert (schedule.job_name, schedule.default_status) == ("tiny_product_build", status)


def test_a_product_without_a_schedule_has_none_and_keeps_its_sensor(
    make_product: Callable[..., Path], tmp_path: Path
) -> None:
    repository = load_product_definitions(make_product(parsed=True), state=tmp_path / "state").get_repository_def()
    assert repository.schedule_defs == []
    (sensor,) = repository.sensor_defs
    assert [target.job_name for target in sensor.targets] == ["tiny_product_build"]


def test_the_manifest_is_parsed_again_only_when_a_source_is_newer(
    make_product: Callable[..., Path], tmp_path: Path
) -> None:
    folder, state = make_product(), tmp_path / "state"
    load_product_definitions(folder, state=state)
    manifest = state / "target" / "manifest.json"
    first = manifest.stat().st_mtime_ns
    load_product_definitions(folder, state=state)
    assert manifest.stat().st_mtime_ns == first

    model = folder / "models" / "cheap_things.sql"
    model.write_text("select * from {{ ref('raw_things') }} where price <= 15\n", encoding="utf-8")
    os.utime(model, ns=(first + 10**9, first + 10**9))
    repository = load_product_definitions(folder, state=state).get_repository_def()
    keys = {key.path[-1] for key in repository.asset_graph.materializable_asset_keys}
    assert keys == {"raw_things", "dear_things", "cheap_things"}
    assert not (folder / "target").exists()


def test_a_model_that_was_taken_away_is_no_asset_any_more(make_product: Callable[..., Path], tmp_path: Path) -> None:
    folder, state = make_product(), tmp_path / "state"
    model = folder / "models" / "cheap_things.sql"
    model.write_text("select * from {{ ref('raw_things') }} where price <= 15\n", encoding="utf-8")
    load_product_definitions(folder, state=state)
    first = (state / "target" / "manifest.json").stat().st_mtime_ns
    model.unlink()
    os.utime(model.parent, ns=(first + 10**9, first + 10**9))
    repository = load_product_definitions(folder, state=state).get_repository_def()
    keys = {key.path[-1] for key in repository.asset_graph.materializable_asset_keys}
    assert keys == {"raw_things", "dear_things"}


def test_a_project_that_cannot_be_parsed_names_its_file(make_product: Callable[..., Path], tmp_path: Path) -> None:
    folder = make_product()
    (folder / "models" / "broken.sql").write_text("select {{ ref('nowhere' }}\n", encoding="utf-8")
    with pytest.raises(DbtProjectError, match="broken"):
        load_product_definitions(folder, state=tmp_path / "state")


def test_the_job_builds_the_product_and_reports_every_check(make_product: Callable[..., Path], tmp_path: Path) -> None:
    import duckdb

    state = tmp_path / "state"
    repository = load_product_definitions(make_product(), state=state).get_repository_def()
    with DagsterInstance.ephemeral() as instance:
        result = repository.get_job("tiny_product_build").execute_in_process(instance=instance)
    built = {event.asset_key.path[-1] for event in result.get_asset_materialization_events() if event.asset_key}
    checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert result.success
    assert built == {"raw_things", "dear_things"}
    assert len(checks) == 2
    assert all(checks.values())
    with duckdb.connect(str(state / "tiny_product.duckdb"), read_only=True) as database:
        assert database.execute("select id, price from dear_things").fetchall() == [(2, 20)]
    assert (state / "runs" / result.run_id / "target" / "run_results.json").is_file()


def test_a_part_of_the_product_is_built_alone_without_the_tests_that_need_more(
    make_product: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_product()
    (folder / "tests").mkdir()
    crossing = (
        "select 1 from {{ ref('raw_things') }} as r join {{ ref('dear_things') }} as d on r.id = d.id where 1 = 0"
    )
    (folder / "tests" / "needs_both.sql").write_text(crossing, encoding="utf-8")
    repository = load_product_definitions(folder, state=tmp_path / "state").get_repository_def()
    seed = AssetKey(["tiny_product", "main", "raw_things"])
    with DagsterInstance.ephemeral() as instance:
        result = repository.get_job("tiny_product_build").execute_in_process(instance=instance, asset_selection=[seed])
    assert [event.asset_key for event in result.get_asset_materialization_events()] == [seed]
    assert list(result.get_asset_check_evaluations()) == []


def test_the_definitions_that_floe_compile_writes_are_loaded_by_dagster_from_anywhere(
    make_product: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(MANIFEST, encoding="utf-8")
    folder, place = make_product(SCHEDULE % "true"), tmp_path / "build" / "deep"
    bundle = compile_bundle(folder, manifest)
    back = os.path.relpath(folder, place)
    (written,) = write_outputs(place, compile_outputs(bundle, ["definitions.py"], product_dir=back))
    monkeypatch.chdir("/")
    # As `dagster dev -f` and a code server look for what a file holds.
    (found,) = loadable_targets_from_python_file(str(written))
    assert found.attribute == "defs"
    repository = repository_def_from_target_def(found.target_definition)
    assert repository is not None
    assert {key.path[-1] for key in repository.asset_graph.materializable_asset_keys} == {"raw_things", "dear_things"}
    assert [one.job_name for one in repository.schedule_defs] == ["tiny_product_build"]


def test_a_test_that_fails_fails_its_check_and_the_run_and_says_why(
    make_product: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_product()
    (folder / "seeds" / "raw_things.csv").write_text("id,price\n1,20\n1,30\n", encoding="utf-8")
    repository = load_product_definitions(folder, state=tmp_path / "state").get_repository_def()
    with DagsterInstance.ephemeral() as instance:
        result = repository.get_job("tiny_product_build").execute_in_process(instance=instance, raise_on_error=False)
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert not result.success
    assert checks["not_null_dear_things_id"].passed
    failed = checks["unique_dear_things_id"]
    assert not failed.passed
    assert failed.metadata["rows"].value == 1
    failure = result.failure_data_for_node("tiny_product_dbt")
    assert failure is not None
    assert "test unique_dear_things_id failed" in str(failure.error)


def test_a_location_whose_manifest_is_fresh_loads_without_dbt_and_dlt(
    make_product: Callable[..., Path], tmp_path: Path
) -> None:
    """Importing them takes longer than all the rest, and every process of a deployment loads the location."""
    folder, state = make_product(parsed=True), tmp_path / "state"
    script = (
        "import sys; from pathlib import Path; from floe_orchestrator_dagster import load_product_definitions\n"
        "load_product_definitions(Path(sys.argv[1]), state=Path(sys.argv[2])).get_repository_def()\n"
        "heavy = {'dbt', 'dagster_dbt', 'dlt', 'dagster_dlt', 'pyiceberg', 'pyarrow', 'duckdb', 'pandas'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))\n"
    )
    words = [sys.executable, "-c", script, str(folder), str(state)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=100)
    assert done.stdout.strip() == "[]"
