"""A product small enough to be parsed in a second: one seed, one model, two tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_orchestrator_dagster.tracing import Tracing
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pyiceberg.catalog.sql import SqlCatalog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILES = {
    "dbt_project.yml": (
        "name: tiny_product\nversion: '1.0'\nconfig-version: 2\nprofile: tiny\n"
        "flags: { send_anonymous_usage_stats: false }\n"
    ),
    "profiles.yml": (
        "tiny:\n  target: duckdb\n  outputs:\n"
        "    duckdb: { type: duckdb, path: \"{{ env_var('FLOE_DUCKDB_PATH') }}\", threads: 1 }\n"
    ),
    "seeds/raw_things.csv": "id,price\n1,10\n2,20\n",
    "models/dear_things.sql": "select * from {{ ref('raw_things') }} where price > 15\n",
    "models/schema.yml": (
        "models:\n  - name: dear_things\n    columns:\n      - name: id\n        data_tests: [unique, not_null]\n"
    ),
}
SPEC = (
    "apiVersion: floe.dev/v1\nkind: FloeSpec\nmetadata: { name: tiny-product, version: 1.0.0 }\n"
    "transforms:\n  - { name: dear_things, tier: gold }\n"
)


@pytest.fixture
def make_product(tmp_path: Path) -> Callable[..., Path]:
    """Writes the product; `more` is appended to its floe.yaml, `without` names files to leave out."""

    def make(more: str = "", *, without: str = "") -> Path:
        folder = tmp_path / "tiny"
        for name, text in {**FILES, "floe.yaml": SPEC + more}.items():
            if name != without:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, encoding="utf-8")
        return folder

    return make


@pytest.fixture
def untraced() -> Tracing:
    """A product whose platform wants no traces."""
    return Tracing(product="tiny-product", version="1.0.0", folder="")


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's own surroundings."""
    for name in ("FLOE_LANE", "FLOE_PRODUCT_STATE", "FLOE_DUCKDB_PATH", "TRACEPARENT", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    """A catalog on SQLite over a folder."""
    with SqlCatalog("test", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/warehouse") as made:
        yield made


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Every span that ends in this process."""
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    # The global provider can be set once a process; the API's own look-up is replaced for this test only.
    monkeypatch.setattr("opentelemetry.trace.get_tracer", provider.get_tracer)
    return memory
