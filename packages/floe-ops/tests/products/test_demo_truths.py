"""The planted truths can fail: each is built once more from data or with a detector that is not right."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest
import yaml
from floe_core.errors import WrongStateError
from floe_core.plugins import DbtCommand, DbtError, DBTPlugin, DbtRequest, PluginType
from floe_core.registry import Registry
from floe_ops.products import truths

DEMO = Path(__file__).resolve().parents[4] / "demo"
PRODUCTS = sorted(path.parent.name for path in DEMO.glob("*/generate_seeds.py"))
Row = dict[str, str]

pytestmark = pytest.mark.timeout(300)


@dataclass
class Copy:
    """A copy of a product, to be changed and built."""

    folder: Path
    state: Path
    variables: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, home: Path) -> Copy:
        kept = shutil.ignore_patterns("target", "logs", "__pycache__", "*.duckdb")
        return cls(Path(shutil.copytree(DEMO / name, home / name, ignore=kept)), home / "state")

    @property
    def database(self) -> Path:
        return self.state / "built.duckdb"

    def dbt(self, command: DbtCommand, *, full_refresh: bool = False) -> None:
        self.state.mkdir(exist_ok=True)
        plugin = cast("DBTPlugin[Any]", Registry().create(PluginType.DBT, "core", {}).instance)
        asked = DbtRequest(
            command=command,
            project_dir=self.folder,
            profiles_dir=self.folder,
            target="duckdb",
            target_path=self.state / "target",
            environment={"FLOE_DUCKDB_PATH": str(self.database)},
            variables=self.variables,
            full_refresh=full_refresh,
        )
        plugin.run(asked).raise_for_failure()

    def build(self, *, full_refresh: bool = False) -> None:
        self.dbt(DbtCommand.SEED)
        self.dbt(DbtCommand.RUN, full_refresh=full_refresh)

    def change(self, seed: str, change: Callable[[Row], Row | None]) -> None:
        """Pass every row of a seed through `change`; None leaves it out."""
        path = self.folder / "seeds" / f"{seed}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(row for row in map(change, rows) if row)

    def ask(self, folder: Path | None = None) -> tuple[Any, ...]:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return truths.check(connection, truths.load(folder or self.folder), where="a copy")

    def wrong(self) -> str:
        with pytest.raises(WrongStateError) as caught:
            self.ask()
        return str(caught.value)

    def rows(self, query: str) -> list[Any]:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(query).fetchall()


def _set(row: Row, **values: str) -> Row:
    return {**row, **values}


@pytest.mark.duckdb
def test_one_anomaly_less_and_one_more_are_both_named(tmp_path: Path) -> None:
    """A sensor loses its spike, and one whose role is to be quiet gets one."""
    product = Copy.of("iot-telemetry", tmp_path)
    events = _planted(product, "anomalies_found")
    gone = next(event for event in events if event.startswith("spike"))
    _, day, clock, sensor = gone.split()
    quiet = _quiet_sensor(product, events)
    moments: list[str] = []

    def change(row: Row) -> Row:
        if row["sensor_id"] == sensor and row["recorded_at"] == f"{day} {clock}":
            return _set(row, value=_usual(product, sensor))
        if row["sensor_id"] == quiet:
            moments.append(row["recorded_at"])
            if len(moments) == 20:
                return _set(row, value=str(10 * float(row["value"])))
        return row

    product.change("raw_readings", change)
    product.build()
    said = product.wrong()
    assert f"not found {gone};" in said
    assert f"found and not planted spike {moments[19]} {quiet}" in said


def _planted(product: Copy, name: str) -> list[str]:
    expected = next(truth.expected for truth in truths.load(product.folder).truths if truth.id == name)
    assert isinstance(expected, list)
    return expected


def _quiet_sensor(product: Copy, events: list[str]) -> str:
    """A sensor in its canonical unit, without an anomaly, with a reading at every moment and no second ones."""
    with (product.folder / "seeds/raw_readings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    known = {event.split()[-1] for event in events}
    for sensor in sorted({row["sensor_id"] for row in rows} - known):
        own = [row for row in rows if row["sensor_id"] == sensor]
        if len(own) == 84 and {row["unit"] for row in own} <= {"degC", "bar", "mm/s", "l/min"}:
            return sensor
    raise AssertionError("every sensor plays a role")


def _usual(product: Copy, sensor: str) -> str:
    with (product.folder / "seeds/raw_readings.csv").open(encoding="utf-8") as file:
        values = sorted(float(row["value"]) for row in csv.DictReader(file) if row["sensor_id"] == sensor)
    return f"{values[len(values) // 2]:.3f}"


@pytest.mark.duckdb
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"outlier_score": 1000}, "not found drift"),
        ({"outlier_score": 0.1}, "found and not planted"),
        ({"stuck_readings": 4, "drift_days": 2, "dropout_hours": 11}, "found and not planted"),
    ],
    ids=["finds nothing", "finds everything", "finds what only looks like it"],
)
def test_a_detector_that_is_not_right_is_caught(variables: dict[str, Any], said: str, tmp_path: Path) -> None:
    product = Copy.of("iot-telemetry", tmp_path)
    product.variables = variables
    product.build()
    assert said in product.wrong()


@pytest.mark.duckdb
def test_a_customer_who_was_answered_and_one_who_falls_silent_are_both_named(tmp_path: Path) -> None:
    product = Copy.of("customer-360", tmp_path)
    planted = _planted(product, "churn_risk")
    answered: list[str] = []

    def change(row: Row) -> Row:
        if not answered and row["crm_id"] in planted and not row["closed_at"]:
            answered.append(row["crm_id"])
            return _set(row, closed_at=row["opened_at"])
        return row

    product.change("raw_support_tickets", change)
    product.variables = {"churn_silent_days": 89}
    product.build()
    said = product.wrong()
    assert f"planted 23, found 28: not found {answered[0]}; found and not planted" in said
    assert "open_tickets (tickets that wait for an answer): planted 47, found 46" in said
    assert "net_spend_eur" not in said


@pytest.mark.duckdb
def test_late_readings_reach_an_incremental_model_that_was_built_before_they_arrived(tmp_path: Path) -> None:
    """First what had arrived by the 25th, then all: the rows are those of a build from scratch."""
    product = Copy.of("iot-telemetry", tmp_path)
    whole = (product.folder / "seeds/raw_readings.csv").read_bytes()
    product.change("raw_readings", lambda row: row if row["received_at"] < "2026-06-25 10:10" else None)
    product.build()
    early = product.rows("select count(*) from intermediate.int_readings")[0][0]
    (product.folder / "seeds/raw_readings.csv").write_bytes(whole)
    product.build()
    product.ask()
    grown = product.rows("from intermediate.int_readings order by sensor_id, recorded_at")
    assert 0 < early < len(grown)
    product.build()
    assert product.rows("from intermediate.int_readings order by sensor_id, recorded_at") == grown
    product.build(full_refresh=True)
    assert product.rows("from intermediate.int_readings order by sensor_id, recorded_at") == grown


@pytest.mark.duckdb
@pytest.mark.parametrize("name", PRODUCTS)
def test_scaled_data_tell_their_own_truth(name: str, tmp_path: Path) -> None:
    """Eleven stories, three of them twice, read by the same models."""
    product, scaled = Copy.of(name, tmp_path), tmp_path / "it's scaled"
    command = [sys.executable, str(DEMO / name / "generate_seeds.py"), "--scale", "11", "--out", str(scaled)]
    subprocess.run(command, check=True, timeout=120)
    assert {path.suffix for path in scaled.iterdir()} == {".parquet", ".yaml"}
    product.variables = {"scaled_seeds": str(scaled)}
    product.build()
    assert product.ask(scaled)
    product.wrong()


@pytest.mark.duckdb
@pytest.mark.parametrize("name", PRODUCTS)
def test_a_broken_row_of_a_seed_is_named_with_its_file_and_line(name: str, tmp_path: Path) -> None:
    product = Copy.of(name, tmp_path)
    types = yaml.safe_load((product.folder / "seeds/seeds.yml").read_text(encoding="utf-8"))["seeds"]
    seed, column = next(
        (one["name"], column)
        for one in types
        for column, kind in one["config"]["column_types"].items()
        if kind.startswith(("decimal", "timestamp", "date"))
    )
    rows = iter(range(2, 10**9))
    product.change(seed, lambda row: _set(row, **{column: "so-so"}) if next(rows) == 5 else row)
    with pytest.raises(DbtError) as caught:
        product.dbt(DbtCommand.SEED)
    assert f"seeds/{seed}.csv:5" in str(caught.value)
    assert "so-so" in str(caught.value)
