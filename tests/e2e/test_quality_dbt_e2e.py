"""The quality plugin on what a real dbt says of a real database: planted faults, and the demo product.

What it tells is counted a second time by DuckDB itself.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from floe_core.plugins import DbtCommand, DbtRequest, DbtResult, Dimension, NoConfig
from floe_dbt_core.plugin import DBTCorePlugin
from floe_quality_dbt.config import DbtQualityConfig
from floe_quality_dbt.plugin import DbtQualityPlugin

pytestmark = pytest.mark.duckdb

FILES = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\nflags: {send_anonymous_usage_stats: false}\n",
    "profiles.yml": (
        "shop:\n  target: duckdb\n  outputs:\n"
        "    duckdb: {type: duckdb, path: \"{{ env_var('FLOE_DUCKDB_PATH') }}\", threads: 1}\n"
    ),
    "seeds/customers.csv": "id\n1\n2\n",
    # One id twice, two amounts missing, one status unknown, three orders of nobody.
    "seeds/raw_orders.csv": (
        "id,customer_id,amount,status\n"
        "1,1,10,paid\n2,1,,paid\n3,2,20,open\n3,2,20,open\n5,7,,paid\n6,8,5,lost\n7,9,7,paid\n"
    ),
    # What breaks is switched by the environment: for variables, and for another folder, dbt would parse all anew.
    "models/orders.sql": (
        "select {{ 'nothing_there' if env_var('SHOP_MODEL', '') == 'broken' else '*' }} from {{ ref('raw_orders') }}\n"
    ),
    "models/totals.sql": "select customer_id, sum(amount) as total from {{ ref('orders') }} group by 1\n",
    "tests/no_total_is_negative.sql": "select * from {{ ref('totals') }} where total < 0\n",
    "tests/it_cannot_run.sql": (
        "{{ config(enabled=env_var('SHOP_TEST', '') == 'broken') }}select * from nowhere_to_be_found\n"
    ),
    "models/schema.yml": """
models:
  - name: orders
    config: {tags: [money], meta: {tier: silver}}
    columns:
      - {name: id, data_tests: [unique, not_null]}
      - name: amount
        data_tests: [not_null: {config: {severity: warn}}]
      - name: status
        data_tests: [accepted_values: {arguments: {values: [paid, open]}}]
      - name: customer_id
        data_tests: [relationships: {arguments: {to: ref('customers'), field: id}}]
  - name: totals
    config: {meta: {tier: gold}}
    columns:
      - {name: customer_id, data_tests: [unique, not_null]}
""",
}
WRONG_ROWS = {
    "unique_orders_id": 1,
    "not_null_orders_amount": 2,
    "accepted_values_orders_status__paid__open": 1,
    "relationships_orders_customer_id__id__ref_customers_": 3,
}


class Shop:
    """A dbt project and its database.

    Attributes:
        folder: The project.
        database: The DuckDB file.
    """

    def __init__(self, folder: Path, work: Path) -> None:
        self.folder, self.database, self._target = folder, work / "shop.duckdb", work / "target"
        self._dbt = DBTCorePlugin(NoConfig())

    def run(self, command: DbtCommand, *select: str, **environment: str) -> DbtResult:
        return self._dbt.run(
            DbtRequest(
                command,
                self.folder,
                self.folder,
                target="duckdb",
                target_path=self._target,
                select=select,
                environment={"FLOE_DUCKDB_PATH": str(self.database), **environment},
            )
        )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("a shop")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return Shop(folder, tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def tested(shop: Shop) -> DbtResult:
    """The result of `dbt test` on the planted data."""
    for command in (DbtCommand.SEED, DbtCommand.RUN):
        shop.run(command).raise_for_failure()
    return shop.run(DbtCommand.TEST)


def plugin_of(**config: Any) -> DbtQualityPlugin:
    return DbtQualityPlugin(DbtQualityConfig.model_validate(config))


@pytest.mark.requirement("WU6-X1")
def test_what_was_planted_is_found_with_its_rows_and_its_query(shop: Shop, tested: DbtResult) -> None:
    report = plugin_of().evaluate(tested)
    assert (report.passed, report.checks) == (False, 8)
    assert {one.check: one.rows for one in report.findings} == WRONG_ROWS
    assert {one.model for one in report.findings} == {"orders"}
    with duckdb.connect(str(shop.database), read_only=True) as connection:
        for finding in report.findings:
            found = connection.sql(Path(finding.where).read_text()).fetchall()
            assert len(found) == finding.rows, finding.check
    assert {one.check: (one.status, one.severity, one.column) for one in report.findings}["not_null_orders_amount"] == (
        "warn",
        "warn",
        "amount",
    )


@pytest.mark.requirement("WU6-X1")
def test_the_scores_are_those_that_one_reckons(tested: DbtResult) -> None:
    # Seven tests of weight 1, of which three fail; one of weight 1/2, which warns.
    assert plugin_of().evaluate(tested).score == pytest.approx(4.5 / 7.5)
    strict = plugin_of(warn_credit=0).evaluate(tested)
    assert strict.score == pytest.approx(4 / 7.5)
    assert strict.dimensions == {
        Dimension.COMPLETENESS: pytest.approx(2 / 2.5),
        Dimension.UNIQUENESS: pytest.approx(1 / 2),
        Dimension.VALIDITY: 0,
        Dimension.CONSISTENCY: pytest.approx(1 / 2),
    }


@pytest.mark.requirement("WU6-X1")
@pytest.mark.parametrize(
    ("config", "failure"),
    [
        ({"min_score": 0.6}, None),
        ({"min_score": 0.61}, "the score is 0.600, 0.61 is asked"),
        ({"min_score": 0, "min_score_by_tier": {"gold": 1}}, None),
        ({"min_score": 0, "min_score_by_tier": {"silver": 0.6}}, "the score of tier silver is 0.333"),
        ({"min_score": 0, "min_score_by_tag": {"money": 0.6}}, "the score of tag money is 0.333"),
        ({"min_score": 0, "min_score_by_dimension": {"uniqueness": 0.5}}, None),
        ({"min_score": 0, "required_tests": {"totals": ["unique", "singular"]}}, None),
        ({"min_score": 0, "required_tests": {"orders": ["unique"]}}, "orders: the required test unique did not pass"),
        ({"min_score": 0, "required_tests": {"totals": ["recency"]}}, "totals: the required test recency did not run"),
    ],
)
def test_thresholds_decide(tested: DbtResult, config: dict[str, Any], failure: str | None) -> None:
    report = plugin_of(**config).evaluate(tested)
    assert report.passed is (failure is None), report.failures
    assert failure is None or report.failures[0].startswith(failure)


@pytest.mark.requirement("WU6-X1")
def test_a_test_that_cannot_run_is_never_forgiven(shop: Shop, tested: DbtResult) -> None:
    del tested  # the models are built
    result = shop.run(DbtCommand.TEST, "no_total_is_negative", "it_cannot_run", SHOP_TEST="broken")
    report = plugin_of(min_score=0).evaluate(result)
    assert (report.passed, report.score) == (False, 0.5)
    assert report.failures[0] == "1 test could not run: it_cannot_run"
    assert "nowhere_to_be_found" in report.findings[0].message


@pytest.mark.requirement("WU6-X1")
def test_tests_that_a_broken_build_skips_count_against_it(shop: Shop, tested: DbtResult) -> None:
    del tested  # what it looked at may be built anew
    report = plugin_of(min_score=0).evaluate(shop.run(DbtCommand.BUILD, SHOP_MODEL="broken"))
    assert (report.passed, report.score, report.checks) == (False, 0, 0)
    assert "1 node could not be built: orders" in report.failures
    assert {one.status for one in report.findings} == {"skipped"}


@pytest.fixture(scope="module")
def demo(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    unwanted = shutil.ignore_patterns("target", "logs", "dbt_packages", "*.duckdb*", "__pycache__")
    folder = tmp_path_factory.mktemp("demo") / "customer-360"
    shutil.copytree(project_root / "demo" / "customer-360", folder, ignore=unwanted)
    return Shop(folder, tmp_path_factory.mktemp("work"))


@pytest.mark.requirement("WU6-X1")
def test_the_demo_product_is_good_until_its_data_is_not(demo: Shop) -> None:
    asked = plugin_of(min_score_by_tag={"marts": 1}, required_tests={"mart_customer_360": ["unique", "at_least"]})
    report = asked.evaluate(demo.run(DbtCommand.BUILD))
    assert (report.passed, report.score, report.failures) == (True, 1, ())
    assert report.checks >= 50
    assert set(report.dimensions) == set(Dimension) - {Dimension.FRESHNESS}

    seed = demo.folder / "seeds" / "raw_transactions.csv"
    lines = seed.read_text().splitlines()
    seed.write_text("\n".join([*lines, lines[1]]) + "\n")
    worse = plugin_of().evaluate(demo.run(DbtCommand.BUILD, "raw_transactions", "stg_transactions"))
    assert not worse.passed
    (failed,) = (one for one in worse.findings if one.status == "fail")
    assert (failed.check, failed.rows) == ("unique_raw_transactions_transaction_id", 1)
    assert {one.status for one in worse.findings} == {"fail", "skipped"}, "dbt goes no further"
    assert any(sentence.startswith(f"test {failed.check} on raw_transactions failed") for sentence in worse.failures)
    assert worse.dimensions[Dimension.UNIQUENESS] < 1
