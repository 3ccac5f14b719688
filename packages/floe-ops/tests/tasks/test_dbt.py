"""`invoke dbt.demo`: its words, its evidence and its refusals; the builds themselves are other tests' business."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from floe_ops import targets
from floe_ops.products import Ask, crew, demos
from floe_ops.products.result import BuildResult, ModelTiming, Step, TableFacts, Truth
from floe_ops.products.worker import Failure, Job
from floe_ops.targets.interface import Platform
from floe_ops.tasks import dbt
from invoke.context import MockContext
from invoke.exceptions import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

FAILING: dict[str, int] = {}


class NoPlatform:
    name = "nowhere"

    def find(self) -> Platform | None:
        return None


class SomePlatform(NoPlatform):
    def find(self) -> Platform | None:
        return Platform(target="nowhere", catalog_kind="stand-in", urls={})


def _built(folder: Path, ask: Ask) -> BuildResult:
    lane = ask.lane.value
    snapshot = 99 if lane == "iceberg" else None
    return BuildResult(
        product=folder.name,
        lane=ask.lane,
        source="sha256:1",
        engine="1.11.16",
        rebuilt=lane == "duckdb",
        enforcement="passed",
        steps=(Step(name="seed", seconds=0.1), Step(name="run", seconds=0.1)),
        models=(ModelTiming(name="mart", seconds=0.1),),
        tests_passed=7,
        truths=(Truth(id="net", says="kept, EUR", found="12.34"), Truth(id="late", says="late", found=("a", "b"))),
        tables=(TableFacts(name="mart", rows=2, columns={}, sums={}, fingerprint="1", snapshot_id=snapshot),),
        released="1.0.0" if lane == "iceberg" else "",
        scale=ask.scale,
        wall_s=0.2,
    )


def _all(
    jobs: Iterable[Job], told: Callable[[str, str, dict[str, Any]], None], **_options: object
) -> dict[str, BuildResult | Failure]:
    """What workers would come to: a product named in FAILING fails with that code."""
    outcomes: dict[str, BuildResult | Failure] = {}
    for job in jobs:
        name = job.folder.name
        told(name, "began", {"step": "run"})
        code = FAILING.get(name)
        outcomes[name] = (
            Failure(f"{name} is wrong", "a.sql:3", "why", "do", code) if code else _built(job.folder, job.ask)
        )
    return outcomes


@pytest.fixture(autouse=True)
def _no_real_builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLOE_RUN_DIR", str(tmp_path))
    monkeypatch.setenv("FLOE_SESSION", "dbt_demo(test)")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setattr(crew, "build_all", _all)
    monkeypatch.setattr(crew, "warm_up", lambda *_args: None)
    FAILING.clear()


def evidence(folder: Path) -> dict[str, str]:
    lines = (folder / "dbt_demo-test.evidence.jsonl").read_text(encoding="utf-8").splitlines()
    return {line["criterion"]: line["evidence"] for line in map(json.loads, lines)}


def demo(**options: Any) -> None:
    dbt.demo.body(MockContext(), **options)


def test_it_prints_the_business_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo(product="customer-360")
    words = capsys.readouterr().out
    assert "kept, EUR" in words
    assert "12.34" in words
    assert "2, as planted" in words
    assert "7 tests passed" in words
    found = evidence(tmp_path)
    assert "seed → run" in found["WU5-AC2"]
    assert "dbt debug of customer-360" in found["WU5-AC1"]
    assert "WU5-AC5" not in found


def test_the_iceberg_lane_names_its_snapshots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(targets, "current", SomePlatform)
    demo(lane="iceberg", product="customer-360")
    assert "snapshot 99" in capsys.readouterr().out
    found = evidence(tmp_path)
    assert "mart 2 rows in snapshot 99" in found["WU5-AC5"]
    assert "WU5-AC2" not in found, "a first run is no second run"


def test_json_is_the_only_thing_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    demo(product="customer-360", json=True)
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["product"], result["tests_passed"]) == ("customer-360", 7)


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        ({"scale": 0}, 2, "builds nothing"),
        ({"lane": "x"}, 2, "there is no lane 'x'"),
        ({"product": "nope"}, 2, "there is no demo product named 'nope'"),
        ({"lane": "iceberg"}, 5, "invoke platform.up"),
    ],
)
def test_a_refusal_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, str], code: int, says: str
) -> None:
    monkeypatch.setattr(targets, "current", NoPlatform)
    with pytest.raises(Exit) as caught:
        demo(**options)
    assert caught.value.code == code
    assert says in str(caught.value.message)


def test_all_failures_are_listed_and_the_worst_one_gives_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    names = [folder.name for folder in demos.folders()]
    FAILING.update({names[0]: 4, names[1]: 6})
    with pytest.raises(Exit) as caught:
        demo()
    assert caught.value.code == 6
    said = str(caught.value.message)
    assert f"2 of {len(names)} products failed" in said
    assert f"{names[0]}: {names[0]} is wrong (a.sql:3): why" in said
    assert f"{names[2]}: what it found" in capsys.readouterr().out


def test_a_part_of_the_sequence_proves_nothing(tmp_path: Path) -> None:
    demo(product="customer-360", retry=True)
    assert not list(tmp_path.glob("*.evidence.jsonl"))
