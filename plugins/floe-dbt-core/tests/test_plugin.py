"""The plugin on a real project and a real database."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import pytest
from floe_core.plugins import DbtCommand, DbtError, DbtProjectError, DbtTargetError
from floe_core.testing import DBTConformance
from floe_dbt_core.failures import DbtDatabaseError

if TYPE_CHECKING:
    from floe_core.plugins import DbtNode
    from floe_dbt_core.plugin import DBTCorePlugin

    from tests.conftest import Tiny

HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"


class TestConformance(DBTConformance):
    """The fixture `plugin` is that of conftest."""


def test_the_lifecycle_builds_the_tables_and_leaves_no_trace(plugin: DBTCorePlugin, tiny: Tiny) -> None:
    folder, before = os.getcwd(), dict(os.environ)  # noqa: PTH109 - what is compared is the process's own idea
    seen: list[DbtNode] = []
    for command in (
        DbtCommand.DEBUG,
        DbtCommand.DEPS,
        DbtCommand.SEED,
        DbtCommand.RUN,
        DbtCommand.TEST,
        DbtCommand.DOCS,
    ):
        result = plugin.run(tiny.request(command), on_node=seen.append)
        assert result.success, result
    assert [node.name for node in seen if node.resource_type == "model"] == ["orders", "totals"]
    assert (os.getcwd(), dict(os.environ)) == (folder, before)  # noqa: PTH109 - as above
    assert sorted(path.name for path in tiny.project.iterdir()) == [
        "dbt_project.yml",
        "models",
        "profiles.yml",
        "seeds",
    ]
    assert (tiny.target_path / "catalog.json").is_file()
    # Opened with other settings than dbt's: this fails while dbt holds the file.
    with duckdb.connect(str(tiny.database), config={"threads": 1}) as connection:
        assert connection.sql("select cast(total as decimal(9, 2)) from main.totals").fetchall() == [
            (Decimal("15.30"),)
        ]


def test_nodes_say_when_they_ran_and_what_they_wrote(plugin: DBTCorePlugin, tiny: Tiny) -> None:
    result = plugin.run(tiny.request(DbtCommand.BUILD))
    nodes = {node.name: node for node in result.nodes}
    assert nodes["raw_orders"].rows == 3
    assert nodes["raw_orders"].path == "seeds/raw_orders.csv"
    orders, totals = nodes["orders"], nodes["totals"]
    assert orders.started_at
    assert orders.finished_at
    assert totals.started_at
    assert orders.started_at <= orders.finished_at <= totals.started_at


def test_a_failed_model_names_its_sql_and_the_line(plugin: DBTCorePlugin, tiny: Tiny) -> None:
    tiny.write("models/orders.sql", "select\n    order_id,\n    amuont as amount\nfrom {{ ref('raw_orders') }}\n")
    plugin.run(tiny.request(DbtCommand.SEED)).raise_for_failure()
    result = plugin.run(tiny.request(DbtCommand.RUN))
    assert [node.name for node in result.failures] == ["orders"]
    with pytest.raises(DbtError) as caught:
        result.raise_for_failure()
    assert caught.value.what == "model orders failed"
    assert caught.value.where == f"{tiny.target_path}/compiled/tiny/models/orders.sql:3"
    assert 'Referenced column "amuont" not found' in caught.value.why
    assert "models/orders.sql" in caught.value.remedy


def test_a_failed_data_test_says_how_many_rows(plugin: DBTCorePlugin, tiny: Tiny) -> None:
    tiny.write("seeds/raw_orders.csv", "order_id,amount\n1,10.10\n1,0.20\n")
    result = plugin.run(tiny.request(DbtCommand.BUILD))
    (failed,) = result.failures
    assert (failed.name, failed.status, failed.rows) == ("unique_orders_order_id", "fail", 1)


def test_a_broken_row_of_a_seed_is_named_by_its_line(plugin: DBTCorePlugin, tiny: Tiny) -> None:
    tiny.write("seeds/raw_orders.csv", "order_id,amount\n1,10.10\n2,much\n")
    tiny.write("seeds/seeds.yml", "seeds: [{name: raw_orders, config: {column_types: {amount: 'decimal(9, 2)'}}}]\n")
    with pytest.raises(DbtError) as caught:
        plugin.run(tiny.request(DbtCommand.SEED)).raise_for_failure()
    assert caught.value.where == "seeds/raw_orders.csv:3"


@pytest.mark.requirement("WU5-BC1")
def test_a_missing_seed_is_named(plugin: DBTCorePlugin, tiny: Tiny) -> None:
    (tiny.project / "seeds/raw_orders.csv").unlink()
    with pytest.raises(DbtProjectError) as caught:
        plugin.run(tiny.request(DbtCommand.SEED))
    assert "'raw_orders'" in caught.value.what
    assert caught.value.where == str(tiny.project / "models/orders.sql")
    assert "seeds/raw_orders.csv" in caught.value.remedy


@pytest.mark.requirement("WU5-BC2")
@pytest.mark.parametrize("command", [DbtCommand.SEED, DbtCommand.DEBUG])
def test_a_locked_database_names_the_file_and_the_holder(
    plugin: DBTCorePlugin, tiny: Tiny, command: DbtCommand
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tiny.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdin
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(DbtDatabaseError) as caught:
            plugin.run(tiny.request(command))
        holder.stdin.close()
    assert caught.value.where == str(tiny.database)
    assert f"(PID {holder.pid})" in caught.value.why


def test_a_database_out_of_reach_is_named(plugin: DBTCorePlugin, tiny: Tiny) -> None:
    tiny.database = tiny.database.parent / "nowhere" / "x.duckdb"
    with pytest.raises(DbtDatabaseError) as caught:
        plugin.run(tiny.request(DbtCommand.SEED))
    assert caught.value.where == str(tiny.database)


@pytest.mark.requirement("WU5-BC3")
def test_a_wrong_target_is_named_with_those_there_are(plugin: DBTCorePlugin, tiny: Tiny) -> None:
    with pytest.raises(DbtTargetError) as caught:
        plugin.run(tiny.request(DbtCommand.SEED, target="nope"))
    assert "'nope'" in caught.value.what
    assert caught.value.where == str(tiny.project / "profiles.yml")
    assert "duckdb" in caught.value.why
    assert "other" in caught.value.why


def test_broken_jinja_names_the_file(plugin: DBTCorePlugin, tiny: Tiny) -> None:
    tiny.write("models/totals.sql", "select\n  {{ oops( }}\n")
    with pytest.raises(DbtProjectError) as caught:
        plugin.run(tiny.request(DbtCommand.RUN))
    assert caught.value.where == f"{tiny.project / 'models/totals.sql'}:2"


def test_the_engine_says_its_version(plugin: DBTCorePlugin) -> None:
    assert plugin.engine_version().startswith("1.11.")


def test_a_node_that_begins_is_told_before_it_ends(plugin: DBTCorePlugin, tiny: Tiny) -> None:
    told: list[tuple[str, str]] = []

    def tell(node: DbtNode) -> None:
        told.append((node.name, node.status))

    plugin.run(tiny.request(DbtCommand.SEED))
    plugin.run(tiny.request(DbtCommand.RUN), on_node=tell, on_start=tell)
    assert told == [("orders", "started"), ("orders", "success"), ("totals", "started"), ("totals", "success")]


def test_a_relative_database_lies_in_the_project_wherever_dbt_is_called_from(
    plugin: DBTCorePlugin, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny.project.parent)
    request = replace(
        tiny.request(DbtCommand.SEED),
        project_dir=tiny.project.relative_to(tiny.project.parent),
        profiles_dir=tiny.project.relative_to(tiny.project.parent),
        environment={"FLOE_DUCKDB_PATH": "here.duckdb"},
    )
    assert plugin.run(request).success
    assert (tiny.project / "here.duckdb").is_file()
