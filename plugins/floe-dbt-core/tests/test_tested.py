"""What tests ask, as a real dbt says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.plugins import DbtCommand, DbtTest

if TYPE_CHECKING:
    from floe_dbt_core.plugin import DBTCorePlugin

    from tests.conftest import Tiny

SCHEMA = """
models:
  - name: orders
    config: {tags: [money], meta: {tier: gold}}
    columns:
      - name: order_id
        data_tests:
          - unique
          - not_null: {config: {severity: warn, tags: [soft]}}
unit_tests:
  - name: sums
    model: totals
    given: [{input: ref('orders'), rows: [{amount: 1}, {amount: 2}]}]
    expect: {rows: [{total: 3}]}
seeds:
  - name: raw_orders
    columns: [{name: amount, data_tests: [not_null]}]
"""


def test_every_test_says_what_it_asks(plugin: DBTCorePlugin, tiny: Tiny) -> None:
    tiny.write("models/schema.yml", SCHEMA)
    tiny.write("tests/none_is_free.sql", "select * from {{ ref('orders') }} where amount = 0\n")
    tiny.write("tests/all_arrive.sql", "select 1 from {{ ref('orders') }}, {{ ref('raw_orders') }} where false\n")
    plugin.run(tiny.request(DbtCommand.BUILD)).raise_for_failure()
    result = plugin.run(tiny.request(DbtCommand.TEST))
    money = frozenset({"money"})
    assert {node.name: node.test for node in result.nodes} == {
        "unique_orders_order_id": DbtTest("unique", "orders", "order_id", tags=money, tier="gold"),
        "not_null_orders_order_id": DbtTest("not_null", "orders", "order_id", "warn", money | {"soft"}, "gold"),
        "not_null_raw_orders_amount": DbtTest("not_null", "raw_orders", "amount"),
        "none_is_free": DbtTest("singular", "orders", tags=money, tier="gold"),
        "all_arrive": DbtTest("singular"),
        "sums": DbtTest("unit", "totals"),
    }


def test_what_is_no_test_asks_nothing(plugin: DBTCorePlugin, tiny: Tiny) -> None:
    result = plugin.run(tiny.request(DbtCommand.SEED))
    assert [node.test for node in result.nodes] == [None]
