"""A project as people write it: names in both places, documentation, and nothing secret in its logs."""

from __future__ import annotations

import gc
import json
import secrets
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from dbt.adapters.duckdb_iceberg import rest
from dbt.tests.util import get_manifest, run_dbt
from floe_core.telemetry import span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

if TYPE_CHECKING:
    from tests.conftest import Lakehouse

MODELS = {
    "staged.sql": "{{ config(materialized='view', schema='staging') }} select * from {{ ref('raw') }}",
    "mart.sql": """
        {{ config(materialized='table', schema='marts', partition_by=['truncate(1, name)'],
                  table_properties={'owner': 'shop'}, persist_docs={'relation': true, 'columns': true}) }}
        select name, sum(amount) as total, count(*) as sales from {{ ref('staged') }} group by all
    """,
    "log.sql": """
        {{ config(materialized='incremental', schema='marts', incremental_strategy='append') }}
        select '{{ invocation_id }}' as run, sum(amount) as total from {{ ref('staged') }}
    """,
    "plain.sql": "{{ config(materialized='table') }} select 1 as a",
    "sourced.sql": "{{ config(materialized='table') }} select count(*) as n from {{ source('loaded', 'mart') }}",
    "schema.yml": """
sources:
  - {name: loaded, schema: marts, tables: [{name: mart}]}
  - {name: shared, schema: other_product.marts, tables: [{name: mart}]}
  - {name: rooted, schema: .other_product, tables: [{name: mart}]}
models:
  - name: mart
    description: What each name sold.
    columns:
      - {name: name, description: Who, data_tests: [not_null]}
  - name: staged
    columns:
      - {name: amount, data_tests: [{accepted_values: {arguments: {values: [0]}, config: {store_failures: true}}}]}
""",
}
EXACT = """
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
"""


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    memory, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    # The global provider can be set once a process; the API's own look-up is replaced for this test only.
    monkeypatch.setattr("opentelemetry.trace.get_tracer", provider.get_tracer)
    return memory


class TestProject:
    @pytest.fixture(scope="class")
    @classmethod
    def models(cls) -> dict[str, str]:
        return MODELS

    @pytest.fixture(scope="class")
    @classmethod
    def seeds(cls) -> dict[str, str]:
        return {"raw.csv": "name,amount,at\nann,1,2026-01-01\nbob,2,2026-01-02\nann,3,\n"}

    @pytest.fixture(scope="class")
    @classmethod
    def macros(cls) -> dict[str, str]:
        return {"exact.sql": EXACT}

    @pytest.fixture(scope="class")
    @classmethod
    def namespace(cls) -> str:
        return f"shop{secrets.token_hex(3)}"

    @pytest.fixture(scope="class")
    @classmethod
    def dbt_profile_target(
        cls, lakehouse: Lakehouse, namespace: str, tmp_path_factory: pytest.TempPathFactory
    ) -> dict[str, Any]:
        return lakehouse.profile(tmp_path_factory.mktemp("local"), namespace) | {"keep_open": False}

    @pytest.mark.usefixtures("project")
    def test_two_builds(
        self, lakehouse: Lakehouse, namespace: str, tmp_path: Path, exporter: InMemorySpanExporter
    ) -> None:
        for last in (["--exclude", "test_type:data", "sourced"], ["--exclude", "test_type:data"]):
            with span("caller"):
                results = run_dbt(["build", *last])
            assert {result.status for result in results} == {"success"}
            self._traced(exporter, namespace)
        self._names(namespace)
        catalog = rest.open_catalog(lakehouse.credentials(tmp_path, namespace))
        mart = catalog.load_table((namespace, "marts", "mart"))
        assert mart.scan().to_arrow().sort_by("name").to_pylist() == [
            {"name": "ann", "total": 4, "sales": 2},
            {"name": "bob", "total": 2, "sales": 1},
        ]
        assert len(mart.metadata.snapshots) == 2
        assert mart.current_snapshot().summary["dbt.unique-id"] == "model.test.mart"
        assert (mart.properties["owner"], mart.properties["comment"]) == ("shop", "What each name sold.")
        assert catalog.load_table((namespace, "marts", "log")).scan().to_arrow().num_rows == 2
        assert sorted(name for _, name in catalog.list_tables((namespace,))) == ["plain", "raw", "sourced"]

        run_dbt(["test", "--select", "test_type:data"], expect_pass=False)
        self._documented(namespace)
        self._nothing_secret(lakehouse)

    def _traced(self, exporter: InMemorySpanExporter, namespace: str) -> None:
        """Commits are made in threads of dbt, and hang below whoever called it."""
        spans = {one.name: one for one in exporter.get_finished_spans()}
        exporter.clear()
        commit: Any = spans["iceberg commit mart"]
        assert commit.parent.span_id == spans["caller"].context.span_id
        assert commit.attributes["iceberg.table"] == f"{namespace}.marts.mart"
        assert commit.attributes["iceberg.rows"] == 2

    def _names(self, namespace: str) -> None:
        manifest: Any = get_manifest(Path.cwd())
        names = {node.name: node.relation_name for node in manifest.nodes.values() if node.relation_name}
        assert names["mart"] == f'"ice"."{namespace}.marts"."mart"'
        assert names["plain"] == f'"ice"."{namespace}"."plain"'
        assert names["raw"] == f'"ice"."{namespace}"."raw"'
        assert names["staged"] == '"local"."staging"."staged"'
        assert manifest.nodes["model.test.mart"].schema == "marts"
        sources = {source.source_name: source.relation_name for source in manifest.sources.values()}
        assert sources["loaded"] == names["mart"]
        assert sources["shared"] == '"ice"."other_product.marts"."mart"'
        assert sources["rooted"] == '"ice"."other_product"."mart"'

    def _documented(self, namespace: str) -> None:
        run_dbt(["docs", "generate"])
        nodes = json.loads(Path("target/catalog.json").read_text())["nodes"]
        assert set(nodes) >= {"model.test.mart", "model.test.staged", "model.test.plain", "seed.test.raw"}, namespace
        mart = nodes["model.test.mart"]
        assert mart["metadata"]["comment"] == "What each name sold."
        assert mart["columns"]["name"]["comment"] == "Who"
        assert nodes["model.test.staged"]["metadata"]["type"] == "VIEW"

    def _nothing_secret(self, lakehouse: Lakehouse) -> None:
        written = [path for path in Path.cwd().rglob("*") if path.is_file()]
        assert any(path.name == "dbt.log" or path.suffix == ".json" for path in written)
        for path in written:
            text = path.read_bytes()
            for secret in (lakehouse.client_secret, lakehouse.keys.secret, lakehouse.keys.access):
                assert secret.encode() not in text, path


class TestKinds:
    """A model that changes its kind, and two Python models with one alias."""

    @pytest.fixture(scope="class")
    @classmethod
    def models(cls) -> dict[str, str]:
        sql = "{{ config(materialized=var('kind', 'table')) }} select 1 as a {{ var('broken', '') }}"
        code = """
def model(dbt, session):
    dbt.config(materialized="table", alias="same", schema="%s")
    return session.sql("select '%s' as place from range(%d)")
"""
        growing = """
def model(dbt, session):
    dbt.config(materialized="incremental", unique_key="id")
    return session.sql("select 1 as id, 'new' as word union all select 2, 'new'" if dbt.is_incremental
                       else "select 1 as id, 'old' as word union all select 3, 'old'")
"""
        pairs = (("left", 20_000), ("right", 30_000))
        files = {"turning.sql": sql, "growing.py": growing}
        return {**files, **{f"{name}.py": code % (name, name, rows) for name, rows in pairs}}

    @pytest.mark.usefixtures("project")
    def test_the_old_kind_goes_when_the_new_one_is_there(
        self, lakehouse: Lakehouse, unique_schema: str, tmp_path: Path
    ) -> None:
        catalog = rest.open_catalog(lakehouse.credentials(tmp_path, unique_schema))
        turning, as_view = (unique_schema, "turning"), "kind: view"
        run_dbt(["run", "--select", "turning"])
        run_dbt(["run", "--select", "turning", "--vars", f"{{{as_view}, broken: 'from nowhere'}}"], expect_pass=False)
        assert catalog.load_table(turning).scan().to_arrow().to_pylist() == [{"a": 1}]
        run_dbt(["run", "--select", "turning", "--vars", f"{{{as_view}}}"])
        assert not catalog.table_exists(turning)

    def test_python_models_of_one_alias_do_not_mix(
        self, project: Any, lakehouse: Lakehouse, unique_schema: str, tmp_path: Path
    ) -> None:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", ResourceWarning)
            run_dbt(["run", "--select", "left", "right", "--threads", "2"])
            gc.collect()
        assert not [one for one in told if "event loop" in str(one.message)]
        catalog = rest.open_catalog(lakehouse.credentials(tmp_path, unique_schema))
        for name, rows in (("left", 20_000), ("right", 30_000)):
            found = catalog.load_table((unique_schema, name, "same")).scan().to_arrow()["place"].to_pylist()
            assert (len(found), set(found)) == (rows, {name})
        left = project.run_sql("select count(*) from duckdb_tables() where table_name like 'dbt_py%'", fetch="one")
        assert left == (0,)

    @pytest.mark.usefixtures("project")
    def test_a_python_model_grows(self, lakehouse: Lakehouse, unique_schema: str, tmp_path: Path) -> None:
        for _ in range(2):
            run_dbt(["run", "--select", "growing"])
        catalog = rest.open_catalog(lakehouse.credentials(tmp_path, unique_schema))
        found = catalog.load_table((unique_schema, "growing")).scan().to_arrow().sort_by("id").to_pylist()
        assert [(row["id"], row["word"]) for row in found] == [(1, "new"), (2, "new"), (3, "old")]
