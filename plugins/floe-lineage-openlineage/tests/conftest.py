"""A real HTTP server, and events to send to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from floe_core.http import delivery
from floe_core.lineage import Dataset, DataSource, EventKind, Job, Run, run_event
from floe_core.testing.receiver import Action, Receiver, deaf, receiving, reply

AT = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts begin at 10 ms, so that retries cost the tests little."""
    monkeypatch.setattr(delivery, "FIRST_WAIT_S", 0.01)


@pytest.fixture
def server() -> Iterator[Receiver]:
    """A server on a free port; answers 200 unless told otherwise."""
    with receiving() as running:
        yield running


@pytest.fixture
def dead() -> Iterator[str]:
    """A URL where nobody listens."""
    with deaf() as url:
        yield url


@pytest.fixture
def answers() -> Callable[..., Action]:
    """Makes an answer: `answers(503, Retry_After="1")`."""
    return reply


@pytest.fixture
def event() -> dict[str, Any]:
    """A run event with a parent, an input and an output."""
    source = DataSource("duckdb://orders.duckdb", "duckdb")
    columns = ({"name": "order_id", "type": "bigint", "description": "The order."},)
    product = Run.begin(Job("orders", "orders", job_type="PRODUCT"), AT)
    return run_event(
        EventKind.COMPLETE,
        Run.begin(Job("orders", "model.orders.mart"), AT).id,
        Job("orders", "model.orders.mart", job_type="MODEL", sql="select 1", description="A mart."),
        at=AT,
        inputs=[Dataset(source, "orders.raw.orders")],
        outputs=[Dataset(source, "orders.marts.mart", columns, rows=3)],
        parent=product,
    )
