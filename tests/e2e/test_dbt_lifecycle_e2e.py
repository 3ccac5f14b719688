"""The dbt lifecycle of the demo product on DuckDB files (WU-5): no service needed.

Everything is built from a copy in a folder with spaces in its name, with another working directory: what passes
here does not depend on where the checkout lies or where it is called from.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import FloeError
from floe_core.plugins import DbtProjectError, DbtTargetError, Lane
from floe_ops.products import build_product, demos
from floe_ops.products.build import Places

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_ops.products import BuildResult

pytestmark = pytest.mark.duckdb

PRODUCT = "customer-360"
MODULES = ("test_dbt_lifecycle_e2e.py", "test_data_pipeline.py")
LIFECYCLE = ["compile", "deps", "seed", "run", "test", "docs generate", "truths"]
HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A working directory that has nothing to do with the project."""
    with contextlib.chdir(tmp_path_factory.mktemp("elsewhere")):
        yield


@pytest.fixture(scope="module")
def copied(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product and its platform manifest, copied into a path with spaces."""
    demo = tmp_path_factory.mktemp("a path with spaces") / "the demo"
    demo.mkdir()
    shutil.copy(project_root / "demo" / "manifest.yaml", demo)
    unwanted = shutil.ignore_patterns("target", "logs", "dbt_packages", "*.duckdb*", "__pycache__")
    return shutil.copytree(project_root / "demo" / PRODUCT, demo / PRODUCT, ignore=unwanted)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("what is built")


@pytest.fixture(scope="module")
def built(copied: Path, home: Path) -> BuildResult:
    """The product, built once for all tests of this module."""
    return build_product(copied, Lane.DUCKDB, home=home)


@pytest.fixture
def broken(copied: Path, tmp_path: Path) -> Path:
    """A copy of the product to be broken by one test."""
    shutil.copy(copied.parent / "manifest.yaml", tmp_path)
    return shutil.copytree(copied, tmp_path / PRODUCT)


@pytest.mark.requirement("WU5-AC1")
@pytest.mark.parametrize("lane", list(Lane))
def test_the_profile_has_a_valid_target_from_any_directory(project_root: Path, tmp_path: Path, lane: Lane) -> None:
    demos.check_profile(project_root / "demo" / PRODUCT, lane, home=tmp_path)
    assert (Places.of(PRODUCT, lane, tmp_path).lane_dir / "debug.duckdb").is_file()


@pytest.mark.requirement("WU5-AC3")
def test_a_path_with_spaces_and_a_foreign_directory_change_nothing(
    built: BuildResult, copied: Path, home: Path
) -> None:
    assert " " in str(copied)
    assert [step.name for step in built.steps] == LIFECYCLE
    assert len(built.models) == 9
    assert built.tests_passed >= 50
    assert {table.name: table.rows for table in built.tables} == {
        "mart_customer_360": 500,
        "mart_churn_risk": 23,
        "mart_segment_summary": 4,
    }
    assert not list(copied.glob("**/*.duckdb")), "the product's own folder stays as it was"
    assert not {"target", "logs", "dbt_packages"} & {path.name for path in copied.iterdir()}
    places = Places.of(PRODUCT, Lane.DUCKDB, home)
    for name in ("manifest.json", "run_results.json", "catalog.json"):
        assert (places.target / name).is_file(), name


@pytest.mark.requirement("WU5-AC2")
def test_the_sequence_runs_again_and_finds_the_same(built: BuildResult, copied: Path, home: Path) -> None:
    again = build_product(copied, Lane.DUCKDB, home=home)
    assert (built.rebuilt, again.rebuilt) == (False, True)
    assert [step.name for step in again.steps] == LIFECYCLE
    assert [
        difference for one, two in zip(built.tables, again.tables, strict=True) for difference in one.differences(two)
    ] == []
    assert (again.truths, again.tests_passed) == (built.truths, built.tests_passed)


@pytest.mark.requirement("WU5-AC2")
def test_the_product_finds_what_was_planted(built: BuildResult) -> None:
    found = {truth.id: truth.found for truth in built.truths}
    assert (found["crm_records"], found["customers"], found["duplicated_customers"]) == ("513", "500", "12")
    assert (found["gross_spend_eur"], found["refunded_eur"]) == ("139120.44", "3421.58")
    assert found["net_spend_eur"] == "135698.86"
    assert (found["without_purchase"], found["open_tickets"]) == ("42", "47")
    assert len(found["churn_risk"]) == 23


@pytest.mark.requirement("WU5-AC4")
@pytest.mark.parametrize("module", MODULES)
def test_every_test_says_which_lane_it_needs(project_root: Path, request: pytest.FixtureRequest, module: str) -> None:
    path = project_root / "tests" / "e2e" / module
    items = list(pytest.Module.from_parent(request.session, path=path).collect())
    lanes = {item.name: [mark for mark in ("duckdb", "catalog") if item.get_closest_marker(mark)] for item in items}
    assert len(lanes) >= 4
    assert {name: marks for name, marks in lanes.items() if len(marks) != 1} == {}


@pytest.mark.requirement("WU5-BC1")
def test_a_missing_seed_is_named(broken: Path, tmp_path: Path) -> None:
    (broken / "seeds" / "raw_transactions.csv").unlink()
    with pytest.raises(DbtProjectError) as caught:
        build_product(broken, Lane.DUCKDB, home=tmp_path)
    assert "'raw_transactions'" in caught.value.what
    assert caught.value.where == str(broken / "models" / "staging" / "stg_transactions.sql")


@pytest.mark.requirement("WU5-BC2")
def test_a_locked_database_is_named_with_its_holder(copied: Path, tmp_path: Path) -> None:
    places = Places.of(PRODUCT, Lane.DUCKDB, tmp_path)
    places.lane_dir.mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(places.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(FloeError) as caught:
            build_product(copied, Lane.DUCKDB, home=tmp_path)
        holder.stdin.close()
    assert caught.value.where == str(places.database)
    assert f"PID {holder.pid}" in caught.value.why


@pytest.mark.requirement("WU5-BC3")
def test_a_wrong_target_is_named(broken: Path, tmp_path: Path) -> None:
    profile = broken / "profiles.yml"
    profile.write_text(profile.read_text(encoding="utf-8").replace("iceberg: *file", ""), encoding="utf-8")
    with pytest.raises(DbtTargetError) as caught:
        demos.check_profile(broken, Lane.ICEBERG, home=tmp_path)
    assert "'iceberg'" in caught.value.what
    assert caught.value.where == str(profile)
    assert "duckdb" in caught.value.why
