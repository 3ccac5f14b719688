"""A build around a scripted dbt: order, places, lane, selection, failures, interruption."""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import ExitCode, MissingToolError, NotReadyError, UsageError
from floe_core.plugins import DbtCommand, DbtRequest, Lane, PluginType
from floe_core.running import Places, Work

if TYPE_CHECKING:
    from pathlib import Path

    from tests.running.conftest import Bench

SECRET = "planted-value-of-a-secret"  # noqa: S105 - what the tests look for


def test_a_run_compiles_seeds_and_builds_and_tells_each_node(bench: Bench) -> None:
    outcome = bench.carry_out()
    assert outcome.success
    assert outcome.exit_code == ExitCode.OK
    assert [one["command"] for one in bench.asked()] == ["deps", "seed", "run"]
    assert [step.name for step in outcome.steps] == ["compile", "deps", "seed", "run"]
    assert bench.heard.told[-6:] == [
        "> run",
        "+ bronze_orders",
        "- bronze_orders success",
        "+ silver_orders",
        "- silver_orders success",
        "< run",
    ]
    assert outcome.as_dict()["nodes"][1]["seconds"] == 0.25


def test_everything_lies_below_the_products_target(bench: Bench) -> None:
    before = {path for path in bench.product.rglob("*") if path.is_file()}
    bench.carry_out()
    places = Places.of(bench.product, Lane.DUCKDB)
    made = {path for path in bench.product.rglob("*") if path.is_file()} - before - {bench.product / "asked.jsonl"}
    assert made
    assert all(path.is_relative_to(places.target) for path in made)
    assert json.loads(places.artifacts.read_text())["metadata"]["product_name"] == "orders"
    assert "outputs" in json.loads((places.profiles / "profiles.yml").read_text())["orders"]
    assert json.loads(places.dbt_manifest.read_text()) == {"nodes": {}}


def test_selection_reaches_the_models_and_only_the_seeds_that_they_read(bench: Bench) -> None:
    bench.carry_out(select=("silver_orders", "+gold_orders_by_day"), full_refresh=True)
    asked = {one["command"]: one for one in bench.asked()}
    assert asked["run"]["select"] == ["silver_orders", "+gold_orders_by_day"]
    assert asked["seed"]["select"] == ["+silver_orders", "+gold_orders_by_day"]
    assert asked["run"]["refresh"] is True


def test_a_selection_of_nothing_is_told_with_the_nearest_model(bench: Bench) -> None:
    bench.script(run={})
    failure = bench.carry_out(select=("silver_order",)).failure
    assert isinstance(failure, UsageError)
    assert "did you mean silver_orders?" in failure.remedy


def test_a_failed_model_ends_the_run_with_its_sql(bench: Bench) -> None:
    bench.script(seed={"raw": "success"}, run={"bronze_orders": "error", "silver_orders": "skipped"})
    outcome = bench.carry_out()
    assert outcome.failure
    assert (outcome.failure.what, outcome.failure.where) == ("model bronze_orders failed", "target/bronze_orders.sql:7")
    assert outcome.exit_code == ExitCode.WRONG
    assert [step.name for step in outcome.steps] == ["compile", "deps", "seed"]


def test_a_failed_seed_keeps_the_models_from_being_built(bench: Bench) -> None:
    bench.script(seed={"raw": "error"}, run={"bronze_orders": "success"})
    assert not bench.carry_out().success
    assert [one["command"] for one in bench.asked()] == ["deps", "seed"]


def test_a_project_that_dbt_cannot_read_is_an_outcome(bench: Bench) -> None:
    bench.script(break_at="seed")
    outcome = bench.carry_out()
    assert outcome.failure
    assert outcome.failure.where == "models/a.sql:3"


def test_a_test_asks_for_tests_and_fails_with_them(bench: Bench) -> None:
    assert bench.carry_out(Work.TEST).success
    bench.script(test={"unique_orders": "pass", "not_null_orders": "fail"})
    outcome = bench.carry_out(Work.TEST)
    assert outcome.failure
    assert outcome.failure.what == "test not_null_orders failed"
    assert {one["command"] for one in bench.asked()} == {"deps", "test"}


def test_a_lane_that_the_platform_lacks_is_named_with_those_it_has(bench: Bench) -> None:
    with pytest.raises(UsageError, match="no lane named iceberg") as caught:
        bench.carry_out(lane=Lane.ICEBERG)
    assert "duckdb" in caught.value.why


def test_a_second_build_is_told_whom_to_wait_for(bench: Bench) -> None:
    bench.carry_out()
    lock = Places.of(bench.product, Lane.DUCKDB).lock
    with lock.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_SH)  # keeps out whoever wants it alone
        held.write(json.dumps({"pid": 4321, "command": "floe run", "since": "today"}))
        held.flush()
        with pytest.raises(NotReadyError, match="another build of orders is running") as caught:
            bench.carry_out()
    assert "4321" in caught.value.why
    assert bench.carry_out().success


def test_a_build_that_was_stopped_leaves_the_next_one_a_clean_start(bench: Bench) -> None:
    bench.script(stop_at="run", seed={"raw": "success"})
    with pytest.raises(KeyboardInterrupt):
        bench.carry_out()
    assert Places.of(bench.product, Lane.DUCKDB).lock.read_text() == ""
    bench.script(seed={"raw": "success"}, run={"bronze_orders": "success"})
    assert bench.carry_out().success


def test_a_target_that_cannot_be_written_is_told(bench: Bench) -> None:
    (bench.product / "target").write_text("a file in the way")
    with pytest.raises(Exception, match="cannot be written") as caught:
        bench.carry_out()
    assert caught.value.__class__.__name__ == "WrongStateError"


class TestSecrets:
    """Variables that the compiled profile reads."""

    BODY = """
        def get(self, name):
            if name != "ENGINE_TOKEN":
                raise SecretNotFoundError(f"there is no secret {name}")
            return SecretStr(pathlib.Path(self.config.folder, "secret").read_text())

        def names(self):
            return ("ENGINE_TOKEN",)
    """

    @pytest.fixture
    def needing(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
        """A bench whose engine needs a token."""
        monkeypatch.delenv("ENGINE_TOKEN", raising=False)
        engine = """
            from floe_core.plugins import ComputePlugin, Lane, NoConfig

            class Plugin(ComputePlugin[NoConfig]):
                name = "needy"; version = "0.1.0"; floe_api_version = "1.0"; tracer_name = "t"
                adapter = "dbt-needy"; lanes = frozenset({Lane.DUCKDB})

                def dbt_target(self, request):
                    return {"type": "needy", "token": "{{ env_var('ENGINE_TOKEN') }}",
                            "path": "{{ env_var('ENGINE_PATH', 'here') }}"}
        """
        bench.entries.append(bench.write(PluginType.COMPUTE, "needy", engine))
        bench.plugins["compute"] = {"type": "needy"}
        return bench

    def test_come_from_the_secrets_plugin_and_are_found_nowhere(self, needing: Bench) -> None:
        (needing.folder / "secret").write_text(SECRET)
        needing.add(PluginType.SECRETS, self.BODY)
        outcome = needing.carry_out()
        assert outcome.success
        run = next(one for one in needing.asked() if one["command"] == "run")
        assert run["environment"]["ENGINE_TOKEN"] == SECRET
        kept = [path for path in (needing.product / "target").rglob("*") if path.is_file()]
        assert kept
        assert not [path for path in kept if SECRET in path.read_text(errors="replace")]
        assert SECRET not in json.dumps(outcome.as_dict()) + "".join(needing.heard.told)

    def test_are_not_shown_with_the_request_that_carries_them(self, tmp_path: Path) -> None:
        request = DbtRequest(DbtCommand.RUN, tmp_path, tmp_path, "duckdb", tmp_path, environment={"TOKEN": SECRET})
        assert SECRET not in repr(request)

    def test_that_are_set_are_not_looked_up(self, needing: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ENGINE_TOKEN", SECRET)
        assert needing.carry_out().success
        assert "ENGINE_TOKEN" not in needing.asked()[0]["environment"]
        assert os.environ["ENGINE_TOKEN"] == SECRET

    def test_that_nobody_knows_are_named_before_dbt_starts(self, needing: Bench) -> None:
        failure = needing.carry_out().failure
        assert isinstance(failure, MissingToolError)
        assert "ENGINE_TOKEN" in failure.what
        assert not (needing.product / "asked.jsonl").exists()
