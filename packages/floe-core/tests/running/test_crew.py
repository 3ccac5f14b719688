"""The other plugins of a build: they do their part, and none that only watches can fail or delay it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from floe_core.plugins import PluginType
from floe_core.registry.lifecycle import LifecycleError
from floe_core.running import Outcome, Work

if TYPE_CHECKING:
    from tests.running.conftest import Bench

KEEP = """
        def emit(self, event):
            with pathlib.Path(self.config.folder, "events.jsonl").open("a") as stream:
                stream.write(json.dumps(event) + "\\n")
"""
REFUSE = """
        def emit(self, event):
            raise LineageError("nobody takes events", why="it is out of paper")
"""
CRASH = """
        def emit(self, event):
            raise RuntimeError("planted-value-of-a-secret")
"""
HANG = """
        def emit(self, event):
            threading.Event().wait(60)
"""
JUDGE = """
        def evaluate(self, result):
            tests = [node for node in result.nodes if node.resource_type == "test"]
            good = sum(node.status == "pass" for node in tests)
            score = good / len(tests) if tests else 0.0
            return QualityReport(score >= 0.6, score, len(tests), tuple(n.name for n in tests if n.status != "pass"))
"""
TELL = """
        def send(self, alert):
            with pathlib.Path(self.config.folder, "alerts.jsonl").open("a") as stream:
                kept = {"title": alert.title, "details": dict(alert.details), "severity": alert.severity,
                        "labels": dict(alert.labels), "identity": alert.identity}
                stream.write(json.dumps(kept) + "\\n")
"""
TRACE = """
        def start(self, service_name, attributes=None):
            kept = pathlib.Path(self.config.folder, "session.jsonl")
            place = str(pathlib.Path(".").absolute())
            kept.write_text(json.dumps({"service": service_name, "place": place, **attributes}) + "\\n")
            class Session:
                def flush(self, timeout_s):
                    return True
                def shutdown(self):
                    with kept.open("a") as stream:
                        stream.write('{"ended": true}\\n')
            return Session()
"""


class TestLineage:
    """Events of the product and its models."""

    def test_tells_the_run_and_each_model_in_order(self, bench: Bench) -> None:
        bench.add(PluginType.LINEAGE_BACKEND, KEEP)
        assert bench.carry_out().success
        events = [(one["eventType"], one["job"]["name"]) for one in bench.kept("events.jsonl")]
        assert events == [
            ("START", "orders"),
            ("START", "seed.orders.raw"),
            ("COMPLETE", "seed.orders.raw"),
            ("START", "model.orders.bronze_orders"),
            ("COMPLETE", "model.orders.bronze_orders"),
            ("START", "model.orders.silver_orders"),
            ("COMPLETE", "model.orders.silver_orders"),
            ("COMPLETE", "orders"),
        ]

    def test_tells_what_failed(self, bench: Bench) -> None:
        bench.add(PluginType.LINEAGE_BACKEND, KEEP)
        bench.script(run={"bronze_orders": "error"})
        bench.carry_out()
        events = bench.kept("events.jsonl")
        assert [one["eventType"] for one in events[-2:]] == ["FAIL", "FAIL"]
        assert "model bronze_orders failed" in events[-1]["run"]["facets"]["errorMessage"]["message"]
        assert len({one["run"]["runId"] for one in events if one["job"]["name"] == "orders"}) == 1

    def test_tells_that_a_run_was_stopped(self, bench: Bench) -> None:
        bench.add(PluginType.LINEAGE_BACKEND, KEEP)
        bench.script(stop_at="run")
        with pytest.raises(KeyboardInterrupt):
            bench.carry_out()
        assert bench.kept("events.jsonl")[-1]["eventType"] == "ABORT"

    @pytest.mark.parametrize(("body", "said"), [(REFUSE, "it is out of paper"), (CRASH, "made-up raised RuntimeError")])
    def test_that_is_not_delivered_is_said_and_changes_nothing(self, bench: Bench, body: str, said: str) -> None:
        bench.add(PluginType.LINEAGE_BACKEND, body)
        outcome = bench.carry_out()
        assert outcome.success
        assert "8 of 8 events were not delivered" in outcome.notes[0]
        assert said in outcome.notes[0]
        assert "planted" not in outcome.notes[0]

    def test_that_hangs_costs_its_limit_and_no_more(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("floe_core.running.lineage.Emitter.close.__defaults__", (0.2,))
        bench.add(PluginType.LINEAGE_BACKEND, HANG)
        began = time.monotonic()
        outcome = bench.carry_out()
        assert outcome.success
        assert time.monotonic() - began < 30
        assert "did not answer within 0.2 s" in outcome.notes[0]


class TestQuality:
    """The judge of tests."""

    def test_decides_about_tests_that_failed(self, bench: Bench) -> None:
        bench.add(PluginType.QUALITY, JUDGE)
        bench.script(test={"one": "pass", "two": "pass", "three": "fail"})
        outcome = bench.carry_out(Work.TEST)
        assert outcome.success
        assert outcome.quality
        assert outcome.quality.checks == 3

    def test_below_the_threshold_ends_with_4(self, bench: Bench) -> None:
        bench.add(PluginType.QUALITY, JUDGE)
        bench.script(test={"one": "pass", "two": "fail", "three": "fail"})
        outcome = bench.carry_out(Work.TEST)
        assert int(outcome.exit_code) == 4
        assert outcome.failure
        assert "below the platform's threshold" in outcome.failure.what
        assert outcome.failure.why == "two; three"

    def test_does_not_excuse_a_test_that_could_not_run(self, bench: Bench) -> None:
        bench.add(PluginType.QUALITY, JUDGE)
        bench.script(test={"one": "pass", "two": "pass", "three": "error"})
        assert not bench.carry_out(Work.TEST).success

    def test_is_not_asked_about_a_run(self, bench: Bench) -> None:
        bench.add(PluginType.QUALITY, JUDGE)
        assert bench.carry_out().quality is None

    def test_that_crashes_fails_the_test_without_its_words(self, bench: Bench) -> None:
        body = "        def evaluate(self, result):\n            raise KeyError('planted-value-of-a-secret')\n"
        bench.add(PluginType.QUALITY, body)
        failure = bench.carry_out(Work.TEST).failure
        assert failure
        assert "it raised KeyError" in failure.why
        assert "planted" not in str(failure)


class TestAlerts:
    """People hear of failures."""

    def test_tell_what_failed_and_nothing_of_a_success(self, bench: Bench) -> None:
        bench.add(PluginType.ALERT_CHANNEL, TELL)
        bench.carry_out()
        assert bench.kept("alerts.jsonl") == []
        bench.script(run={"bronze_orders": "error"})
        bench.carry_out()
        (alert,) = bench.kept("alerts.jsonl")
        assert alert["title"] == "floe run of orders failed"
        assert alert["severity"] == "critical"
        assert alert["details"]["failed"] == "bronze_orders"
        assert alert["details"]["where"] == "target/bronze_orders.sql:7"

    def test_of_the_same_trouble_have_the_same_identity(self, bench: Bench) -> None:
        bench.add(PluginType.ALERT_CHANNEL, TELL)
        about = {"unique_b": "silver_orders", "unique_a": "bronze_orders"}
        for answers in ({"unique_b": "fail", "unique_a": "fail"}, {"unique_a": "fail", "unique_b": "fail"}):
            bench.script(test=answers, about=about)
            bench.carry_out(Work.TEST)
        bench.script(test={"unique_a": "fail"}, about=about)
        bench.carry_out(Work.TEST)
        first, again, other = bench.kept("alerts.jsonl")
        assert first["labels"] == {"lane": "duckdb", "model": "bronze_orders, silver_orders"}
        assert first["identity"] == again["identity"] != other["identity"]

    def test_that_nobody_takes_are_said(self, bench: Bench) -> None:
        body = "        def send(self, alert):\n            raise AlertDeliveryError('no', why='the line is busy')\n"
        bench.add(PluginType.ALERT_CHANNEL, body)
        bench.script(run={"bronze_orders": "error"})
        outcome = bench.carry_out()
        assert outcome.failure
        assert outcome.failure.what == "model bronze_orders failed"
        assert "the line is busy" in outcome.notes[0]


class TestTelemetry:
    """Where spans go."""

    def test_is_set_up_for_the_product_and_ended(self, bench: Bench) -> None:
        bench.add(PluginType.TELEMETRY_BACKEND, TRACE)
        assert bench.carry_out().notes == ()
        first, last = bench.kept("session.jsonl")
        assert first["service"] == first["floe.product.name"] == "orders"
        assert first["place"] == str((bench.product / "target").resolve())
        assert last == {"ended": True}

    def test_is_left_alone_where_the_manifest_switches_tracing_off(self, bench: Bench) -> None:
        bench.add(PluginType.TELEMETRY_BACKEND, TRACE)
        bench.extra["observability"] = {"tracing": {"enabled": False}}
        assert bench.carry_out().success
        assert bench.kept("session.jsonl") == []

    def test_that_does_not_start_is_said(self, bench: Bench) -> None:
        body = "        def start(self, name, attributes=None):\n            raise TelemetryError"
        bench.add(PluginType.TELEMETRY_BACKEND, f"{body}('no', why='a poor day')\n")
        outcome = bench.carry_out()
        assert outcome.success
        assert "a poor day" in outcome.notes[0]

    def test_that_crashes_as_it_starts_is_said_without_its_words(self, bench: Bench) -> None:
        body = (
            "        def start(self, name, attributes=None):\n            raise KeyError('planted-value-of-a-secret')\n"
        )
        bench.add(PluginType.TELEMETRY_BACKEND, body)
        outcome = bench.carry_out()
        assert outcome.success
        assert "KeyError" in outcome.notes[0]
        assert "planted" not in outcome.notes[0]

    def test_that_cannot_be_sent_is_ended_all_the_same(self, bench: Bench) -> None:
        bench.add(PluginType.TELEMETRY_BACKEND, TRACE.replace("return True", "raise TelemetryError('the line is cut')"))
        outcome = bench.carry_out()
        assert outcome.success
        assert "the line is cut" in outcome.notes[0]
        assert bench.kept("session.jsonl")[-1] == {"ended": True}

    def test_that_cannot_find_its_collectors_address_is_said(self, bench: Bench) -> None:
        bench.add(PluginType.TELEMETRY_BACKEND, TRACE)
        bench.extra["observability"] = {"tracing": {"endpoint": {"env": "NO_SUCH_COLLECTOR"}}}
        outcome = bench.carry_out()
        assert outcome.success
        assert "env:NO_SUCH_COLLECTOR is not available" in outcome.notes[0]


class TestIngestion:
    """Sources are loaded before dbt reads them."""

    LOAD = """
        class Source(PluginConfig):
            url: str
        source_model = Source

        def load(self, request):
            kept = {"pipeline": request.pipeline, "dataset": request.dataset, "url": request.source.url,
                    "database": str(request.database), "base": str(request.base_dir), "work": str(request.work_dir)}
            with pathlib.Path(self.config.folder, "loads.jsonl").open("a") as stream:
                stream.write(json.dumps(kept) + "\\n")
            if request.source.url == "bad":
                raise RuntimeError("planted-value-of-a-secret")
            return IngestionResult({"orders": 3})
    """

    @pytest.fixture
    def loading(self, bench: Bench) -> Callable[[str], Outcome]:
        def load(url: str) -> Outcome:
            spec = bench.product / "floe.yaml"
            text = spec.read_text()
            sources = f"sources:\n  - {{ name: shop, dataset: landing, config: {{ url: {url} }} }}\n"
            spec.write_text(text + sources)
            bench.add(PluginType.INGESTION, self.LOAD)
            return bench.carry_out()

        return load

    def test_goes_first_and_into_the_database_of_the_build(
        self, bench: Bench, loading: Callable[[str], Outcome], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("FLOE_DUCKDB_PATH", raising=False)
        outcome = loading("here")
        assert outcome.success
        assert [step.name for step in outcome.steps] == ["compile", "ingest", "deps", "seed", "run"]
        assert outcome.as_dict()["loaded"] == {"landing.orders": 3}
        (load,) = bench.kept("loads.jsonl")
        home = bench.product.resolve()
        assert (load["pipeline"], load["dataset"], load["base"]) == ("orders_shop", "landing", str(home))
        assert load["database"] == str(home / "target" / "orders-duckdb.duckdb")
        assert load["work"].startswith(str(home / "target"))

    def test_that_fails_keeps_dbt_from_running_and_tells_no_foreign_word(
        self, bench: Bench, loading: Callable[[str], Outcome]
    ) -> None:
        outcome = loading("bad")
        assert outcome.failure
        assert "made-up raised RuntimeError" in outcome.failure.why
        assert "planted" not in str(outcome.failure)
        assert not (bench.product / "asked.jsonl").exists()

    def test_is_not_done_again_for_a_test(self, bench: Bench, loading: Callable[[str], Outcome]) -> None:
        loading("here")
        assert bench.carry_out(Work.TEST).success
        assert len(bench.kept("loads.jsonl")) == 1


STARTS = """
        def startup(self):
            {start}
        def shutdown(self):
            pathlib.Path(self.config.folder, "closed").touch()
"""


def test_plugins_are_closed_after_the_build(bench: Bench) -> None:
    bench.add(PluginType.LINEAGE_BACKEND, KEEP + STARTS.format(start="pass"))
    before = set(threading.enumerate())
    bench.carry_out()
    assert (bench.folder / "closed").exists()
    assert set(threading.enumerate()) <= before


def test_a_watcher_that_does_not_start_is_left_out(bench: Bench) -> None:
    bench.add(PluginType.LINEAGE_BACKEND, KEEP + STARTS.format(start="raise LineageError('no server')"))
    outcome = bench.carry_out()
    assert outcome.success
    assert outcome.notes[0].startswith("left out: lineage_backend 'made-up'")
    assert bench.kept("events.jsonl") == []


def test_a_judge_that_does_not_start_fails_the_build(bench: Bench) -> None:
    bench.add(PluginType.QUALITY, JUDGE + STARTS.format(start="raise QualityError('no rules')"))
    with pytest.raises(LifecycleError):
        bench.carry_out(Work.TEST)


def test_lineage_is_off_where_the_manifest_says_so(bench: Bench) -> None:
    bench.add(PluginType.LINEAGE_BACKEND, KEEP)
    bench.extra["observability"] = {"lineage": {"enabled": False}}
    bench.carry_out()
    assert bench.kept("events.jsonl") == []
