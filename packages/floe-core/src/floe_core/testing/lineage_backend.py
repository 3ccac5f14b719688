"""What every lineage back end promises."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from floe_core.lineage import Dataset, DataSource, EventKind, Job, Run, run_event
from floe_core.plugins import HealthState, LineageBackendPlugin, LineageError, PluginType
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect, refuses

if TYPE_CHECKING:
    from collections.abc import Mapping

Delivered: TypeAlias = Callable[[], list[dict[str, Any]]]
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GIVES_UP_S = 60.0  # far beyond a plugin's own limits: tells giving up from hanging


def example(kind: EventKind = EventKind.START, name: str = "model.orders.mart_orders") -> dict[str, Any]:
    """A run event with a parent, an input and an output."""
    source = DataSource("duckdb://orders.duckdb", "duckdb")
    product = Run.begin(Job("orders", "orders", job_type="PRODUCT"), AT)
    job = Job("orders", name, job_type="MODEL", sql="select 1 as größe")
    inputs, outputs = [Dataset(source, "orders.raw.orders")], [Dataset(source, "orders.marts.mart_orders")]
    return run_event(kind, Run.begin(job, AT).id, job, at=AT, inputs=inputs, outputs=outputs, parent=product)


class LineageBackendConformance(PluginConformance):
    """Fixtures of the suite.

    `plugin`, whose events arrive; `delivered`, a function that gives the events that arrived, in their order;
    `unreachable`, the same plugin with a place where nothing can arrive; `secret`, a value behind one of the
    configuration's references, empty where there is none.
    """

    plugin_type: ClassVar[PluginType] = PluginType.LINEAGE_BACKEND

    def test_an_event_arrives_whole(self, plugin: LineageBackendPlugin[Any], delivered: Delivered) -> None:
        """What was emitted is what arrives, letters beyond ASCII included, before `emit` returns."""
        plugin.emit(example())
        expect(delivered() == [example()], "the event arrives unchanged before emit returns")

    def test_order_is_kept(self, plugin: LineageBackendPlugin[Any], delivered: Delivered) -> None:
        """Events arrive in the order in which they were emitted."""
        names = [f"model.orders.m{number}" for number in range(5)]
        for name in names:
            plugin.emit(example(name=name))
        expect([event["job"]["name"] for event in delivered()] == names, "events arrive in their order")

    def test_every_state_is_taken(self, plugin: LineageBackendPlugin[Any], delivered: Delivered) -> None:
        """All states of a run can be told."""
        for kind in EventKind:
            plugin.emit(example(kind))
        expect([event["eventType"] for event in delivered()] == [*EventKind], "every state of a run arrives")

    def test_the_event_stays_as_it_was(self, plugin: LineageBackendPlugin[Any]) -> None:
        """`emit` changes nothing in what it is given."""
        event = example()
        plugin.emit(event)
        expect(event == example(), "emit leaves the event as it was")

    def test_a_wrong_event_is_refused(self, plugin: LineageBackendPlugin[Any], delivered: Delivered) -> None:
        """What is no run event raises its own error, and nothing of it arrives."""
        for event in _wrong():
            with refuses(LineageError, f"an event with {sorted(event)} raises LineageError"):
                plugin.emit(event)
        expect(delivered() == [], "nothing of a refused event arrives")

    def test_it_works_after_a_refusal(self, plugin: LineageBackendPlugin[Any], delivered: Delivered) -> None:
        """A refused event does not stand in the way of the next."""
        with refuses(LineageError, "an empty event raises LineageError"):
            plugin.emit({})
        plugin.emit(example())
        expect(delivered() == [example()], "the next event arrives")

    def test_silence_is_told(self, unreachable: LineageBackendPlugin[Any], secret: str) -> None:
        """Where nothing can arrive, `emit` raises its own error in bounded time, and health says so."""
        begin = time.monotonic()
        try:
            unreachable.emit(example())
        except LineageError as error:
            told = f"{error} {error!r}"
        else:
            raise AssertionError("emit raises LineageError where nothing can arrive")
        expect(time.monotonic() - begin < GIVES_UP_S, f"emit gives up within {GIVES_UP_S:g} s")
        health = unreachable.health_check(1.0)
        expect(health.state is not HealthState.HEALTHY, "health_check does not call it healthy")
        expect(not secret or secret not in told + health.message, "the secret stays out of messages")

    def test_it_is_healthy_where_events_arrive(self, plugin: LineageBackendPlugin[Any], delivered: Delivered) -> None:
        """A health check says healthy, and sends no event."""
        expect(plugin.health_check(5.0).state is HealthState.HEALTHY, "health_check calls it healthy")
        expect(delivered() == [], "a health check is no event")

    def test_secrets_are_not_shown(self, plugin: LineageBackendPlugin[Any], secret: str) -> None:
        """What is printed and kept of the plugin holds references only."""
        shown = f"{plugin!r} {plugin.config!r} {plugin.config.model_dump_json()}"
        expect(not secret or secret not in shown, "the secret stays out of what is printed and kept")


def _wrong() -> list[Mapping[str, Any]]:
    whole = example()
    without = [{key: value for key, value in whole.items() if key != gone} for gone in ("run", "job", "eventTime")]
    return [*without, {**whole, "eventType": "DONE"}, {**whole, "run": {"runId": "1"}}, {**whole, "inputs": "orders"}]
