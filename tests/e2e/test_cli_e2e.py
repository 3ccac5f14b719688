"""The installed `floe`: a product from nothing to its tests, a demo from elsewhere, and everything that goes wrong.

Needs no service. dbt is loaded once a process, which is what most of the time goes into: where nothing depends on a
process of its own, the command line is called in this one.
"""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result
from floe_core.cli import main
from floe_ops import project

pytestmark = pytest.mark.duckdb

FLOE = Path(sys.executable).with_name("floe")
ENDLESS = "select count(*) as n from range(1000000) as a, range(1000000) as b, {{ ref('stg_orders') }} as c\n"
HIDDEN = dict.fromkeys(("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "FLOE_DUCKDB_PATH"), "")


def environment(**more: str) -> dict[str, str]:
    """The environment of somebody at a desk who has no platform."""
    return {**{name: value for name, value in os.environ.items() if name not in HIDDEN}, **more}


def floe(*words: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Call the installed program; the caller looks at its exit code."""
    return subprocess.run(
        [FLOE, *words], cwd=cwd, env=environment(**more), capture_output=True, text=True, timeout=100, check=False
    )


def called(monkeypatch: pytest.MonkeyPatch, *words: str | Path, cwd: Path) -> Result:
    """Call the command line in this process; the caller looks at its exit code."""
    monkeypatch.chdir(cwd)
    # The spans of this process are those of the whole suite; a product's own telemetry must not take them over.
    env: dict[str, str | None] = {**dict.fromkeys(HIDDEN), "OTEL_SDK_DISABLED": "true"}
    return CliRunner(env=env).invoke(main, [str(word) for word in words], prog_name="floe")


def heard(terminal: int, until: str = "") -> str:
    """What is written on a terminal, until that is among it, or else until nobody writes there any more."""
    said = b""
    try:
        while not (until and until.encode() in said) and (chunk := os.read(terminal, 65536)):
            said += chunk
    except OSError:  # Linux ends a terminal that nobody writes to any more with EIO
        pass
    return said.decode(errors="replace")


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A product that was made and built in a folder with a space in its name."""
    folder = tmp_path_factory.mktemp("an empty folder")
    made = floe("init", "order-insights", cwd=folder)
    assert made.returncode == 0, made.stderr
    home = folder / "order-insights"
    with pytest.MonkeyPatch.context() as monkeypatch:
        ran = called(monkeypatch, "run", cwd=home)
    assert ran.exit_code == 0, ran.output
    assert "✓ model mart_daily_orders" in ran.stdout
    assert "1 seed, 2 models built" in ran.stdout
    return home


@pytest.fixture
def product(built: Path, tmp_path: Path) -> Path:
    """A copy of the built product, to break."""
    return Path(shutil.copytree(built, tmp_path / "a copy" / "order-insights"))


@pytest.mark.requirement("WU6-X5")
def test_a_product_goes_from_nothing_to_its_tests(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = called(monkeypatch, "validate", built, cwd=built.parent)
    assert checked.exit_code == 0, checked.stderr
    compiled = called(monkeypatch, "compile", "order-insights", "--json", cwd=built.parent)
    assert json.loads(compiled.stdout)["enforcement_result"]["passed"] is True
    # dbt's manifest is there after the first run, and compiling says that it used it.
    assert json.loads(compiled.stdout)["dbt_manifest"]["used"] is True
    tested = called(monkeypatch, "test", built, "--json", cwd=built.parent)
    told = json.loads(tested.stdout)
    assert (tested.exit_code, told["ok"]) == (0, True)
    assert {node["status"] for node in told["nodes"]} == {"pass"}
    assert len(told["nodes"]) == 9
    days = rows(
        built / "target" / "order-insights-duckdb.duckdb",
        "select strftime(order_day, '%d'), orders, revenue::float from main.mart_daily_orders order by 1",
    )
    assert [day[:2] for day in days] == [("01", 2), ("02", 2), ("04", 1)]


@pytest.mark.requirement("WU6-X5")
def test_a_planted_mistake_is_told_with_its_place_and_explained(product: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = product / "floe.yaml"
    spec.write_text(spec.read_text().replace("dependsOn: [stg_orders]", "dependsOn: [stg_order]"))
    wrong = called(monkeypatch, "run", product, cwd=product.parent)
    assert wrong.exit_code == 4
    line = next(number for number, text in enumerate(spec.read_text().splitlines(), 1) if "[stg_order]" in text)
    assert re.search(rf"floe\.yaml:{line}:\d+  FLOE-E204", wrong.stderr)
    assert "did you mean stg_orders?" in wrong.stderr
    explained = called(monkeypatch, "explain", "FLOE-E204", cwd=product)
    assert explained.exit_code == 0
    assert "dependsOn names a transform that this product does not list" in explained.stdout


@pytest.mark.requirement("WU6-X5")
def test_the_demo_runs_from_elsewhere_and_keeps_to_its_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo = tmp_path / "demo"
    ignored = shutil.ignore_patterns("target", "logs", "*.duckdb")
    shutil.copytree(project.root() / "demo" / "customer-360", demo / "customer-360", ignore=ignored)
    shutil.copy(project.root() / "demo" / "manifest.yaml", demo)
    elsewhere = tmp_path / "some where"
    elsewhere.mkdir()
    before = {path for path in demo.rglob("*") if path.is_file()}
    ran = called(monkeypatch, "run", "../demo/customer-360", cwd=elsewhere)
    assert ran.exit_code == 0, ran.output
    assert "✓ model mart_customer_360" in ran.stdout
    assert re.search(r"✓ semantic layer +6 files", ran.stdout)
    target = demo / "customer-360" / "target"
    assert rows(target / "customer-360-duckdb.duckdb", "select count(*) > 0 from marts.mart_customer_360") == [(True,)]
    made = {path for path in demo.rglob("*") if path.is_file()} - before
    assert all(path.is_relative_to(target) for path in made)
    assert (target / "semantic" / "cubes" / "mart_customer_360.yml") in made
    assert list(elsewhere.iterdir()) == []


@pytest.mark.requirement("WU6-X5")
def test_a_failing_model_is_told_with_the_line_of_its_sql(product: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = product / "models" / "marts" / "mart_daily_orders.sql"
    model.write_text(model.read_text().replace("sum(amount)", "sum(amuont)"))
    failed = called(monkeypatch, "run", cwd=product)
    assert failed.exit_code == 4
    assert "✗ model mart_daily_orders" in failed.stdout
    assert re.search(r"where: .*/compiled/order_insights/models/marts/mart_daily_orders\.sql:4", failed.stderr)
    assert 'Referenced column "amuont" not found' in failed.stderr
    assert "Traceback" not in failed.stdout + failed.stderr


@pytest.mark.requirement("WU6-X5")
def test_a_failing_test_ends_with_4(product: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with duckdb.connect(str(product / "target" / "order-insights-duckdb.duckdb")) as connection:
        connection.execute("insert into main.mart_daily_orders select * from main.mart_daily_orders limit 1")
    failed = called(monkeypatch, "test", "--json", cwd=product)
    told = json.loads(failed.stdout)
    assert (failed.exit_code, told["ok"], told["exit_code"]) == (4, False, 4)
    bad = {node["name"] for node in told["nodes"] if node["status"] == "fail"}
    assert bad == {"unique_mart_daily_orders_order_day", "no_money_is_lost"}


@pytest.mark.requirement("WU6-X5")
def test_a_run_that_is_stopped_is_named_to_others_and_leaves_a_clean_start(
    product: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = product / "floe.yaml"
    extra = "  - name: mart_endless\n    tier: gold\n    description: Never ends.\n    dependsOn: [stg_orders]\n"
    spec.write_text(spec.read_text().replace("\noutputPorts:", extra + "\noutputPorts:"))
    endless = product / "models" / "marts" / "mart_endless.sql"
    endless.write_text(ENDLESS)
    words: list[str | Path] = [FLOE, "run", "--select", "stg_orders", "--select", "mart_endless"]
    ours, its = pty.openpty()
    desk = environment(NO_COLOR="1", COLUMNS="120")
    with subprocess.Popen(words, cwd=product, env=desk, stdout=its, stderr=its, stdin=its) as process:
        try:
            os.close(its)
            said = heard(ours, until="✓ model stg_orders")
            second = floe("run", cwd=product)
            process.send_signal(signal.SIGTERM)
            said += heard(ours)
            process.wait(timeout=60)
        finally:
            process.kill()
            os.close(ours)
    assert (second.returncode, f"process {process.pid}" in second.stderr) == (6, True), second.stderr
    assert process.returncode == 143, said
    assert "stopped by SIGTERM" in said
    assert "\x1b[3" not in said  # NO_COLOR: no colour, whatever else a terminal is told
    assert "Traceback" not in said
    endless.write_text("select count(*) as n from {{ ref('stg_orders') }}\n")
    again = called(monkeypatch, "run", cwd=product)
    assert again.exit_code == 0, again.output
    assert rows(product / "target" / "order-insights-duckdb.duckdb", "select n from main.mart_endless") == [(5,)]
