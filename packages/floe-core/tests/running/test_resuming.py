"""What a build left undone is all that the next one does, with what depends on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.errors import UsageError
from floe_core.plugins import Lane
from floe_core.running import Places, Work

if TYPE_CHECKING:
    from tests.running.conftest import Bench

GOOD = {
    "seed": {"raw": "success"},
    "run": {"bronze_orders": "success", "silver_orders": "success"},
    "test": {"unique_orders": "pass"},
}


def commands(bench: Bench) -> list[tuple[str, list[str]]]:
    """What dbt was asked since the last look, with its selection."""
    asked = [(one["command"], one["select"]) for one in bench.asked()]
    (bench.product / "asked.jsonl").unlink()
    return asked


def test_a_model_that_failed_is_built_with_what_reads_it_and_all_is_tested(bench: Bench) -> None:
    bench.script(**{**GOOD, "run": {"bronze_orders": "success", "silver_orders": "error", "gold": "skipped"}})
    assert not bench.carry_out(Work.BUILD).success
    commands(bench)
    bench.script(**{**GOOD, "docs generate": {}})
    assert bench.carry_out(Work.BUILD, retry=True).success
    assert commands(bench) == [("deps", []), ("run", ["silver_orders+"]), ("test", []), ("docs generate", [])]


def test_a_test_that_failed_is_the_only_one_that_is_asked_again(bench: Bench) -> None:
    bench.script(**{**GOOD, "test": {"unique_orders": "fail", "not_null_orders": "pass"}})
    assert not bench.carry_out(Work.TEST).success
    commands(bench)
    bench.script(**GOOD)
    assert bench.carry_out(Work.TEST, retry=True).success
    assert commands(bench) == [("deps", []), ("test", ["unique_orders"])]


def test_a_build_that_was_stopped_in_a_command_does_all_of_it_again(bench: Bench) -> None:
    bench.script(stop_at="run", **GOOD)
    with pytest.raises(KeyboardInterrupt):
        bench.carry_out()
    commands(bench)
    bench.script(**GOOD)
    assert bench.carry_out(retry=True).success
    assert commands(bench) == [("deps", []), ("run", [])]


def test_a_build_that_fails_again_is_left_with_what_failed_last(bench: Bench) -> None:
    bench.script(**{**GOOD, "seed": {"raw": "error", "other": "success"}})
    bench.carry_out()
    bench.script(**{**GOOD, "run": {"bronze_orders": "error"}})
    bench.carry_out(retry=True)
    commands(bench)
    bench.script(**GOOD)
    assert bench.carry_out(retry=True).success
    assert commands(bench) == [("deps", []), ("run", ["bronze_orders+"])]


def test_nothing_undone_is_nothing_to_retry(bench: Bench) -> None:
    with pytest.raises(UsageError, match="nothing to be tried again"):
        bench.carry_out(retry=True)
    assert bench.carry_out().success
    assert not Places.of(bench.product, Lane.DUCKDB).undone.exists()
    with pytest.raises(UsageError, match="nothing to be tried again"):
        bench.carry_out(retry=True)


def test_everything_can_be_kept_elsewhere(bench: Bench) -> None:
    target = bench.folder / "elsewhere"
    before = set(bench.product.rglob("*"))
    assert bench.carry_out(target=target).success
    assert set(bench.product.rglob("*")) - before == {bench.product / "asked.jsonl"}
    assert (target / "compiled_artifacts.json").is_file()
