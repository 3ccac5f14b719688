"""The semantic layer plugin `cube` against Cube's own schema compiler, and its SQL against the demo's real tables.

The compiler, its SQL planner and its DuckDB dialect are Cube's published npm packages, pinned with their hashes in
`toolchain/npm/cube-schema`. A Cube server cannot be had that way: what is proved is that Cube takes the files and that
the queries it makes of them give the numbers that dbt's tables hold.
"""

from __future__ import annotations

import json
import subprocess
import threading
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.plugins import Lane, SemanticRequest
from floe_ops.products import Ask, build_product
from floe_ops.products.places import Places
from floe_ops.toolchain import npm
from floe_semantic_cube.config import CubeConfig
from floe_semantic_cube.plugin import CubePlugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.duckdb, pytest.mark.timeout(600)]

PRODUCT = "customer-360"
COMPILE_S = 90
PORTS = frozenset({"mart_customer_360", "mart_churn_risk", "mart_segment_summary"})


@pytest.fixture(scope="module")
def ask(
    project_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[dict[str, str], list[dict[str, Any]]], dict[str, Any]]]:
    """Compile files and write SQL for queries, in one process of `compile.mjs`; its answer."""
    packages = npm.ensure("cube-schema")
    script = project_root / "toolchain" / "npm" / "cube-schema" / "compile.mjs"
    log = tmp_path_factory.mktemp("compiler") / "log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [packages.node, str(script)],
            cwd=packages.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):

        def run(files: dict[str, str], queries: list[dict[str, Any]]) -> dict[str, Any]:
            assert process.stdin
            assert process.stdout
            limit = threading.Timer(COMPILE_S, process.kill)
            limit.start()
            try:
                process.stdin.write(json.dumps({"files": files, "queries": queries}) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
            finally:
                limit.cancel()
            assert line, f"no answer; {log.read_text()[-2000:]}"
            answer: dict[str, Any] = json.loads(line)
            return answer

        yield run
        process.kill()


@pytest.fixture(scope="module")
def places(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Places:
    """The demo product's tables and dbt manifest: built in DuckDB."""
    home = tmp_path_factory.mktemp("cube")
    build_product(project_root / "demo" / PRODUCT, Ask(home=home))
    return Places.of(PRODUCT, Lane.DUCKDB, home)


@pytest.fixture(scope="module")
def manifest(places: Places) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((places.dbt / "manifest.json").read_text())
    return read


def generate(manifest: dict[str, Any], folder: Path, config: CubeConfig | None = None, **asked: Any) -> dict[str, str]:
    """The generated files by name below `folder`."""
    plugin = CubePlugin(config or CubeConfig())
    result = plugin.generate(SemanticRequest(manifest, folder, output_ports=PORTS, **asked))
    return {str(path.relative_to(folder)): path.read_text() for path in result.files}


def rows(places: Places, query: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What the real tables answer to Cube's SQL."""
    import duckdb

    with duckdb.connect(str(places.database), read_only=True) as connection:
        return connection.execute(query["sql"], query["params"]).fetchall()


@pytest.fixture(scope="module")
def compiled(ask: Any, manifest: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Cube makes of the demo, with two columns that the product calls personal, and its SQL for four queries."""
    queries = [
        {"measures": ["mart_churn_risk.count"], "dimensions": ["mart_customer_360.segment"]},
        {"measures": ["mart_customer_360.total_net_spend", "mart_customer_360.count"]},
        {"measures": ["mart_churn_risk_view.count"], "dimensions": ["mart_churn_risk_view.mart_customer_360_segment"]},
        {
            "measures": ["mart_customer_360.count"],
            "timeDimensions": [{"dimension": "mart_customer_360.last_purchase_on", "granularity": "year"}],
            "filters": [{"member": "mart_customer_360.segment", "operator": "equals", "values": ["enterprise"]}],
        },
    ]
    personal = {"mart_customer_360": {"email": "pii", "full_name": "pii"}}
    answer: dict[str, Any] = ask(
        generate(manifest, tmp_path_factory.mktemp("model"), classifications=personal), queries
    )
    assert "error" not in answer, answer
    return answer


@pytest.mark.requirement("WU6-X1")
def test_cubes_compiler_takes_the_demo_and_its_sql_gives_the_tables_numbers(
    compiled: dict[str, Any], places: Places
) -> None:
    by_segment, totals, through_view, by_year = (rows(places, query) for query in compiled["sql"])
    expected = rows(
        places,
        {
            "sql": "select p.segment, count(*) from marts.mart_churn_risk r join marts.mart_customer_360 p "
            "using (customer_id) group by 1",
            "params": [],
        },
    )
    assert len(expected) > 1
    assert sorted(by_segment) == sorted(expected)
    assert sorted(through_view) == sorted(expected)
    assert sum(count for _segment, count in by_segment) == 23  # truths.yaml: churn_risk
    assert totals == [(Decimal("135698.86"), 500)]  # truths.yaml: net_spend_eur, customers
    truth = "select date_trunc('year', last_purchase_on)::timestamp, count(*) from marts.mart_customer_360 "
    truth += "where segment = 'enterprise' group by 1"
    assert sorted(by_year, key=str) == sorted(rows(places, {"sql": truth, "params": []}), key=str)


@pytest.mark.requirement("WU6-X1")
def test_cube_sees_types_keys_and_what_is_not_public(compiled: dict[str, Any]) -> None:
    cubes = {cube["name"]: cube for cube in compiled["cubes"]}
    assert {name for name, cube in cubes.items() if cube["type"] == "view"} == {f"{port}_view" for port in PORTS}
    profile = {one["name"].partition(".")[2]: one for one in cubes["mart_customer_360"]["dimensions"]}
    assert {name: profile[name]["type"] for name in ("customer_id", "net_spend", "signup_date", "is_churn_risk")} == {
        "customer_id": "string",
        "net_spend": "number",
        "signup_date": "time",
        "is_churn_risk": "boolean",
    }
    assert {name for name, one in profile.items() if not one["public"]} == {"email", "full_name"}
    seen = {one["name"] for one in cubes["mart_churn_risk_view"]["dimensions"]}
    assert "mart_churn_risk_view.mart_customer_360_customer_id" in seen
    assert not {name for name in seen if name.endswith("customer_360_email")}
    described = {cube["name"]: cube["description"] for cube in cubes.values()}
    assert described["mart_churn_risk"] == "Customers who may leave, in the order in which to call them."


@pytest.mark.requirement("WU6-X1")
def test_what_meta_adds_is_taken_by_cube_and_counts_right(
    ask: Any, places: Places, manifest: dict[str, Any], tmp_path: Path
) -> None:
    changed = json.loads(json.dumps(manifest))
    model = changed["nodes"]["model.customer_360.mart_customer_360"]
    # The joined member's name in the view of the risks, `mart_customer_360_customer_id`, is taken by a column.
    risks = changed["nodes"]["model.customer_360.mart_churn_risk"]
    risks["columns"]["customer_id"]["config"] = {"meta": {"cube": {"name": "mart_customer_360_customer_id"}}}
    model["description"] = 'Says {CUBE.x}, "quotes", a \\{ and {% raw %} in\ntwo lines, 50 %}\\'
    model["config"]["meta"] = {
        "cube": {
            "title": "Profiles {of} people",
            "refresh_key": {"every": "1 hour"},
            "measures": [
                {
                    "name": "risky",
                    "type": "count",
                    "filters": [{"sql": "{CUBE}.is_churn_risk"}],
                    "description": "May {leave}",
                },
                {"name": "per_head", "type": "number", "sql": "{total_net_spend} / {count}", "format": "currency"},
            ],
            "segments": [{"name": "buyers", "sql": "{CUBE}.purchases > 0"}],
            "pre_aggregations": [
                {
                    "name": "by_month",
                    "measures": ["count"],
                    "dimensions": ["segment"],
                    "time_dimension": "signup_date",
                    "granularity": "month",
                    "partition_granularity": "year",
                    "refresh_key": {"every": "1 day"},
                }
            ],
        }
    }
    queries = [
        {"measures": ["mart_customer_360.risky", "mart_customer_360.per_head"]},
        {"measures": ["mart_customer_360.count"], "segments": ["mart_customer_360.buyers"]},
    ]
    answer = ask(generate(changed, tmp_path), queries)
    assert "error" not in answer, answer
    risky, buyers = (rows(places, query) for query in answer["sql"])
    assert risky[0][0] == 23
    assert float(risky[0][1]) == pytest.approx(135698.86 / 500)
    assert buyers == [(458,)]  # 500 customers, 42 of whom never bought
    cube = next(one for one in answer["cubes"] if one["name"] == "mart_customer_360")
    assert cube["description"] == 'Says {CUBE.x}, "quotes", a { and { % raw %} in two lines, 50 %}'


@pytest.mark.requirement("WU6-X1")
def test_the_compiler_does_refuse_what_is_wrong(ask: Any, manifest: dict[str, Any], tmp_path: Path) -> None:
    files = generate(manifest, tmp_path)
    broken = files["cubes/mart_churn_risk.yml"].replace("type: number", "type: numeral", 1)
    assert broken != files["cubes/mart_churn_risk.yml"]
    answer = ask({**files, "cubes/mart_churn_risk.yml": broken}, [])
    assert "mart_churn_risk" in answer["error"]
