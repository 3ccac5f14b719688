"""WU-3: the plugin uses nothing of Dagster that is gone by 2.0, the audit finds what is planted, a product loads."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import ExitCode, WrongStateError
from floe_core.spec.load import load_product
from floe_ops import project
from floe_ops.audits import dagster_api
from floe_ops.audits.dagster_lock import LIBRARIES, check_lock, check_pins, refusals
from floe_ops.audits.dagster_newest import newest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_ops.audits.dagster_api import Report

pytestmark = pytest.mark.duckdb

PLUGIN = "plugins/floe-orchestrator-dagster/src/floe_orchestrator_dagster"
PRODUCT = "demo/customer-360"
SUITE = "plugins/floe-orchestrator-dagster/tests"
LOAD_S = 60
SUITE_S, LEAST_TESTS = 600, 60

# What the plan names: the plugin's files.
PLANNED = (
    *("__init__.py", "plugin.py", "io_manager.py", "sensors.py", "tracing.py"),
    *("assets/__init__.py", "assets/ingestion.py", "assets/semantic_sync.py"),
    *("resources/__init__.py", "resources/dbt_resource.py", "resources/ingestion.py"),
    *("resources/iceberg.py", "resources/semantic.py"),
)

PLANTED = """
from __future__ import annotations

import dagster as dg
from dagster import NoSuchName, SourceAsset
from dagster_dbt import DbtCliResource, build_freshness_checks_from_dbt_assets

made = dg.asset(compute_kind="sql")
key = dg.AssetKey.from_nowhere("x")
resource = DbtCliResource(project_dir=".", shiny=True)

def body(context: dg.AssetExecutionContext) -> str:
    return context.run_id

class Mine(dg.IOManager):
    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        asset = [asset for asset in (1, 2)]
        asset.append(3)
"""
# What must be found in it: line, name with parameter, lifecycle.
FOUND = {
    (5, "dagster.NoSuchName", "missing"),
    (5, "dagster.SourceAsset", "deprecated"),
    (6, "dagster_dbt.build_freshness_checks_from_dbt_assets", "superseded"),
    (8, "dagster.asset(compute_kind=)", "deprecated"),
    (9, "dagster.AssetKey.from_nowhere", "missing"),
    (10, "dagster_dbt.DbtCliResource(shiny=)", "missing"),
    (13, "dagster.AssetExecutionContext.run_id", "deprecated"),
}
WARNS_AT_IMPORT = """
import dagster

@dagster.multi_asset_sensor(monitored_assets=[])
def old() -> None: ...
"""

LOAD = """
import json, sys
from pathlib import Path
from dagster import DagsterInstance
from floe_orchestrator_dagster import load_product_definitions

repository = load_product_definitions(Path(sys.argv[1]), state=Path(sys.argv[2])).get_repository_def()
graph = repository.asset_graph
early = [key for key in graph.materializable_asset_keys if key.path[1] in ("raw", "staging")]
with DagsterInstance.ephemeral() as instance:
    run = repository.get_job("customer_360_build").execute_in_process(instance=instance, asset_selection=early)
print(json.dumps({
    "success": run.success,
    "built": sorted(event.asset_key.to_user_string() for event in run.get_asset_materialization_events()),
    "passed": [check.passed for check in run.get_asset_check_evaluations()],
    "assets": sorted(key.to_user_string() for key in graph.materializable_asset_keys),
    "groups": {node.key.to_user_string(): node.group_name for node in graph.asset_nodes},
    "checks": len(graph.asset_check_keys),
    "schedules": [[s.name, s.cron_schedule, s.execution_timezone, s.job_name] for s in repository.schedule_defs],
    "sensors": [[s.name, [target.job_name for target in s.targets]] for s in repository.sensor_defs],
    "jobs": sorted(job.name for job in repository.get_all_jobs()),
}))
"""


@pytest.fixture(scope="module")
def loading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """Loads the demo product and runs part of its job, warnings as errors; works while the audit does."""
    state = tmp_path_factory.mktemp("state")
    strict = ["-W", "error", "-W", "ignore:sqlglotrs is deprecated:DeprecationWarning"]
    process = subprocess.Popen(
        [sys.executable, *strict, "-c", LOAD, str(project.root() / PRODUCT), str(state)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "FLOE_PRODUCT_STATE": str(state)},
    )
    with process:
        yield process
        process.kill()


@pytest.fixture(scope="module")
def report(loading: subprocess.Popen[str], tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One audit over the real plugin and, beside it, packages with planted faults."""
    assert loading.poll() is None
    folder = tmp_path_factory.mktemp("audited")
    shutil.copytree(project.root() / PLUGIN, folder / "floe_orchestrator_dagster")
    for name, text in (("planted", PLANTED), ("warning", WARNS_AT_IMPORT), ("broken", "def (\n")):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return dagster_api.audit(folder)


@pytest.fixture(scope="module")
def loaded(loading: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = loading.communicate(timeout=LOAD_S)
    assert loading.returncode == 0, err[-2000:]
    facts: dict[str, Any] = json.loads(out.splitlines()[-1])
    return facts


@pytest.mark.requirement("WU3-AC3")
def test_the_plugin_uses_nothing_that_is_gone_by_two(report: Report) -> None:
    rows = [row for row in report.rows if row.file.startswith("floe_orchestrator_dagster/")]
    assert len({row.file for row in rows}) >= 5
    assert len({row.subject for row in rows}) >= 40
    assert [row for row in rows if row.verdict != "ok"] == []


@pytest.mark.requirement("WU3-AC7", "WU3-AC8", "WU3-AC9")
@pytest.mark.parametrize(
    ("part", "files", "name"),
    [
        ("io_manager.py", 1, "dagster.OutputContext"),
        ("resources/", 4, "dagster.ConfigurableResource"),
        ("assets/", 3, "dagster.AssetSpec"),
    ],
    ids=["AC7 io_manager", "AC8 resources", "AC9 assets"],
)
def test_each_part_of_the_plugin_is_audited_name_by_name(report: Report, part: str, files: int, name: str) -> None:
    rows = [row for row in report.rows if row.file.startswith(f"floe_orchestrator_dagster/{part}")]
    assert len({row.file for row in rows}) >= files
    assert name in {row.name for row in rows}
    assert [row for row in rows if row.verdict != "ok"] == []


@pytest.mark.requirement("WU3-AC7", "WU3-AC8", "WU3-AC9")
def test_the_thirteen_files_of_the_plan_are_there_and_read(report: Report) -> None:
    plugin = project.root() / PLUGIN
    assert [name for name in PLANNED if not (plugin / name).is_file()] == []
    assert report.files == len(list(plugin.rglob("*.py"))) + 3


@pytest.mark.requirement("WU3-AC3")
def test_every_planted_name_and_parameter_is_found_and_nothing_else(report: Report) -> None:
    rows = [row for row in report.rows if row.file == "planted.py" and row.verdict == "fail"]
    assert {(row.line, row.subject, row.lifecycle) for row in rows if row.lifecycle != "import error"} == FOUND
    assert [row.note for row in rows if row.lifecycle == "import error"]  # and the module cannot be imported


@pytest.mark.requirement("WU3-AC3")
def test_a_warning_at_import_and_an_unreadable_file_are_findings(report: Report) -> None:
    found = {(row.file, row.lifecycle) for row in report.findings}
    assert ("warning.py", "warning") in found
    assert ("broken.py", "unparsable") in found


@pytest.mark.requirement("WU3-AC3")
def test_the_audit_fails_with_the_place_of_what_it_found(report: Report) -> None:
    with pytest.raises(WrongStateError, match="will not last") as caught:
        dagster_api.require_clean(report)
    assert caught.value.exit_code == ExitCode.WRONG
    assert "planted.py:5 dagster.SourceAsset deprecated (breaks in 2.0.0)" in caught.value.why


@pytest.mark.requirement("WU3-AC2")
def test_dagster_and_its_libraries_are_in_one_lock_and_installed_as_locked() -> None:
    locked = check_lock(project.root())
    assert set(locked.versions) == set(LIBRARIES)
    assert locked.versions["dagster"].split(".")[0] == "1"


@pytest.mark.requirement("WU3-AC1", "WU3-BC1")
def test_the_working_dagster_is_pinned_as_locked_with_its_reason() -> None:
    assert f"dagster=={version('dagster')}, " in check_pins(project.root())


@pytest.mark.requirement("WU3-BC1")
@pytest.mark.parametrize("other", ["1.13.26", "1.13.29", "2.0.0"])
def test_any_other_dagster_is_refused_by_the_libraries_that_are_pinned_with_it(other: str) -> None:
    assert refusals({}) == []
    assert [said.split()[0] for said in refusals({"dagster": other})] == [one for one in LIBRARIES if one != "dagster"]


@pytest.mark.requirement("WU3-AC1")
def test_what_the_index_has_is_told_also_where_it_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    assert "did not say which dagster is the newest" in newest().sentence()


@pytest.mark.requirement("WU3-AC10")
@pytest.mark.timeout(SUITE_S)
def test_the_plugins_own_suite_is_green(tmp_path: Path) -> None:
    words = [
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "not catalog and not platform",
        f"--basetemp={tmp_path / 'made'}",
    ]
    done = subprocess.run(
        [sys.executable, "-m", *words, str(project.root() / SUITE)],
        cwd=project.root(),
        capture_output=True,
        text=True,
        timeout=SUITE_S - 10,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= LEAST_TESTS
    assert "skipped" not in done.stdout


@pytest.mark.requirement("WU3-AC2")
def test_a_project_that_its_lock_does_not_fit_is_found(tmp_path: Path) -> None:
    root = project.root()
    shutil.copy(root / "uv.lock", tmp_path / "uv.lock")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "other"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["dagster==1.0.1"]\n',
        encoding="utf-8",
    )
    with pytest.raises(WrongStateError, match="lock does not fit"):
        check_lock(tmp_path)


@pytest.mark.requirement("WU3-AC3")
def test_the_product_loads_as_assets_with_checks_schedule_and_sensor(loaded: dict[str, Any]) -> None:
    folder = project.root() / PRODUCT
    spec = load_product(folder).model
    models = {path.stem for path in (folder / "models").rglob("*.sql")}
    seeds = {path.stem for path in (folder / "seeds").rglob("*.csv")}
    built = {asset for asset in loaded["assets"] if "/semantic/" not in asset}
    assert {asset.rpartition("/")[2] for asset in built} == models | seeds
    assert all(asset.startswith("customer_360/") for asset in loaded["assets"])
    groups = {asset.rpartition("/")[2]: group for asset, group in loaded["groups"].items()}
    assert {name: groups[name] for name in models} == {t.name: t.tier for t in spec.transforms}
    assert loaded["checks"] > 0
    assert spec.schedule is not None
    assert loaded["schedules"] == [
        ["customer_360_schedule", spec.schedule.cron, spec.schedule.timezone, "customer_360_build"]
    ]
    assert loaded["sensors"] == [["customer_360_when_healthy", ["customer_360_build"]]]
    assert "customer_360_build" in loaded["jobs"]


@pytest.mark.requirement("WU3-AC3")
def test_the_loaded_job_builds_seeds_and_staging_without_one_warning(loaded: dict[str, Any]) -> None:
    assert loaded["success"]
    assert loaded["built"] == [asset for asset in loaded["assets"] if asset.split("/")[1] in {"raw", "staging"}]
    assert len(loaded["built"]) == 6
    assert set(loaded["passed"]) == {True}
