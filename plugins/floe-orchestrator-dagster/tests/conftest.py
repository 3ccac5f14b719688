"""A product small enough to be parsed in a second: one seed, one model, two tests."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from floe_orchestrator_dagster.loader import load_product_definitions
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


def _write(folder: Path, more: str, without: str) -> Path:
    for name, text in {**FILES, "floe.yaml": SPEC + more}.items():
        if name != without:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def parsed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt's manifest of the product, in which nothing of floe.yaml is."""
    home = tmp_path_factory.mktemp("parsed")
    load_product_definitions(_write(home / "tiny", "", ""), state=home / "state")
    return home / "state" / "target" / "manifest.json"


@pytest.fixture
def make_product(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Path]:
    """Writes the product; `more` is appended to its floe.yaml, `without` names files to leave out.

    Where it is asked for as `parsed`, the state of the test has dbt's manifest already.
    """

    def make(more: str = "", *, without: str = "", parsed: bool = False) -> Path:
        folder = _write(tmp_path / "tiny", more, without)
        if parsed:
            target = tmp_path / "state" / "target"
            target.mkdir(parents=True)
            shutil.copyfile(request.getfixturevalue("parsed_once"), target / "manifest.json")
        return folder

    return make


PLATFORM = (
    "apiVersion: floe.dev/v1\nkind: Manifest\nmetadata: { name: bench, version: 1.0.0, owner: us }\n"
    "plugins:\n  compute: { type: duckdb }\n  orchestrator: { type: dagster }\n  ingestion: { type: dlt }\n"
    "  semantic_layer: { type: cube }\n  catalog: { type: polaris, config: { client_secret: { env: NOT_SET } } }\n"
    "  storage: { type: s3, config: { bucket: floe-iceberg, endpoint: 'http://127.0.0.1:1' } }\n"
)
LOADING = (
    "  - { name: visitors, tier: gold }\n"
    "platform: { manifest: ../manifest.yaml }\n"
    "sources:\n  - name: door\n    config: { kind: files, url: landing, format: csv, table: visits }\n"
    "outputPorts: [{ name: visitors }]\n"
)
LOADED = {
    "landing/day.csv": "id,name\n1,ann\n2,bob\n3,ann\n",
    "dbt_project.yml": FILES["dbt_project.yml"].replace("profile: tiny", "profile: tiny_product"),
    "models/visitors.sql": "select name, count(*) as visits from {{ source('door', 'visits') }} group by name\n",
    "models/sources.yml": "sources: [{ name: door, schema: raw, tables: [{ name: visits }] }]\n",
    "models/marts.yml": (
        "models:\n  - name: visitors\n    description: Who came how often.\n    columns:\n"
        "      - { name: name, data_type: varchar, description: Who., data_tests: [unique] }\n"
        "      - { name: visits, data_type: bigint, description: How often. }\n"
    ),
}


@pytest.fixture
def loading_product(make_product: Callable[..., Path], tmp_path: Path) -> Path:
    """The product with a source that a model reads, on a platform that loads it and describes the model."""
    (tmp_path / "manifest.yaml").write_text(PLATFORM, encoding="utf-8")
    folder = make_product(LOADING)
    for name, text in LOADED.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


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
    made = SqlCatalog("test", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/warehouse")
    with made:
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
