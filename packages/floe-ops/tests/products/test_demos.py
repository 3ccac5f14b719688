"""The demo products of the checkout: found by name, and their data made again byte for byte."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from floe_core.errors import UsageError
from floe_ops.products import demos, truths

DEMO = Path(__file__).resolve().parents[4] / "demo"


@pytest.fixture(autouse=True)
def _this_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOE_ROOT", str(DEMO.parent))


def test_an_unknown_product_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        demos.folders("nope")
    assert "customer-360" in caught.value.why


def test_all_products_are_found() -> None:
    assert DEMO / "customer-360" in demos.folders()
    assert demos.folders("customer-360") == (DEMO / "customer-360",)


PRODUCTS = sorted(path.parent.name for path in DEMO.glob("*/generate_seeds.py"))
ELSEWHERE = {"LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7", "PYTHONUTF8": "0"}


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("changed", [{}, ELSEWHERE], ids=["here", "elsewhere"])
def test_the_committed_data_are_what_the_generator_makes(product: str, changed: dict[str, str], tmp_path: Path) -> None:
    """Byte for byte, whatever the machine's language, clock and hashes are."""
    command = [sys.executable, str(DEMO / product / "generate_seeds.py"), "--out", str(tmp_path)]
    subprocess.run(command, check=True, timeout=60, env={**os.environ, **changed}, cwd=tmp_path)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert {path.name for path in made} == {"truths.yaml"} | {
        path.name for path in (DEMO / product).glob("seeds/*.csv")
    }
    for path in made:
        assert (tmp_path / path).read_bytes() == (DEMO / product / path).read_bytes(), path


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--scale", "0", "--out", "."], "--scale 0: at least 1"),
        (["--scale", "two", "--out", "."], "invalid int value"),
        (["--scale", "2"], "--scale needs --out DIR"),
        (["--out", "file"], "no folder to write into"),
    ],
)
def test_a_generator_says_what_it_cannot_do(product: str, words: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, str(DEMO / product / "generate_seeds.py"), *words]
    done = subprocess.run(command, check=False, timeout=60, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_amounts_are_the_sums_of_the_committed_bookings() -> None:
    """The truths once more, by a third way: straight from the CSV."""
    with (DEMO / "customer-360/seeds/raw_transactions.csv").open(encoding="utf-8") as file:
        done = [row for row in csv.DictReader(file) if row["status"] == "completed"]
    cents = {
        kind: sum(int(row["amount"].replace(".", "")) for row in done if row["kind"] == kind)
        for kind in ("purchase", "refund")
    }
    planted = {truth.id: truth.expected for truth in truths.load(DEMO / "customer-360").truths}
    assert planted["gross_spend_eur"] == f"{cents['purchase'] / 100:.2f}"
    assert planted["refunded_eur"] == f"{cents['refund'] / 100:.2f}"
    assert planted["net_spend_eur"] == f"{(cents['purchase'] - cents['refund']) / 100:.2f}"
