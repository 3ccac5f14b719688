"""What `dagster.launch` and `dagster.status` say of a Dagster; the client behind it is tested beside the client."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import UsageError
from floe_ops import launching
from floe_ops.clients.dagster import Repository, Run
from floe_ops.clients.dagster.answers import (
    AssetNode,
    CheckResult,
    CodeLocation,
    Materialization,
    Schedule,
    Sensor,
    ServerInfo,
    Tick,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SHOP, BANK = Repository("r", "shop"), Repository("r", "bank")
TICK = Tick("SUCCESS", 1.0, ("run-1",), "", "")
DONE = Run("0123456789", "shop_build", "SUCCESS", "shop", 10.0, 12.5)


def node(location: str, *jobs: str) -> AssetNode:
    return AssetNode(f"{location}/marts/orders", "gold", location, (), jobs, (), ("unique", "not_null"))


class Stood:
    """A client whose Dagster has two code locations, the second with an error."""

    url = "http://dagster"

    def __init__(self) -> None:
        self.launched: list[tuple[str, str, tuple[str, ...], float]] = []
        self.runs = self
        self.assets = SimpleNamespace(nodes=lambda: [node("shop", "shop_build", "both"), node("bank", "both")])
        self.automation = SimpleNamespace(schedules=self._schedules, sensors=self._sensors)

    def require_valid_queries(self) -> None:
        return

    def server_info(self) -> ServerInfo:
        return ServerInfo("1.13.27", "1.13.27", "1.13.27")

    def repositories(self) -> tuple[Repository, ...]:
        return (SHOP, BANK)

    def repository(self, location: str) -> Repository:
        return {"shop": SHOP, "bank": BANK}[location]

    def locations(self) -> tuple[CodeLocation, ...]:
        told = "it failed; caused by no such\n  module"
        return (
            CodeLocation("shop", is_loading=False, error="", repositories=("r",)),
            CodeLocation("bank", is_loading=False, error=told, repositories=()),
        )

    def launch(self, home: Repository, job: str, *, assets: Sequence[str], tags: dict[str, str]) -> Run:
        self.launched.append((home.location, job, tuple(assets), float(len(tags))))
        return Run(DONE.id, job, "QUEUED")

    def wait(self, run: str, deadline_s: float) -> Run:
        assert (run, deadline_s) == (DONE.id, 5.0)
        return DONE

    def last(self, limit: int) -> list[Run]:
        return [DONE, Run("abcdefghij", "both", "STARTED", started=3.0)][:limit]

    def materializations(self, run: str) -> list[Materialization]:
        return [Materialization("shop/marts/orders", run, "step", {})]

    def checks(self, _run: str) -> list[CheckResult]:
        return [CheckResult("shop/marts/orders", name, name != "odd", "WARN", {}) for name in ("unique", "odd")]

    def _schedules(self, home: Repository, *, ticks: int) -> list[Schedule]:
        assert ticks == 1
        made = Schedule(
            "nightly",
            SHOP,
            is_running=True,
            jobs=("shop_build",),
            state="s",
            ticks=(TICK,),
            cron="30 5 * * *",
            timezone="UTC",
        )
        return [made] if home is SHOP else []

    def _sensors(self, home: Repository, *, ticks: int) -> list[Sensor]:
        del ticks
        return [Sensor("aimless", BANK, is_running=False, jobs=(), state="s", ticks=())] if home is BANK else []


@pytest.fixture
def stood(monkeypatch: pytest.MonkeyPatch) -> Stood:
    made = Stood()
    as_client: Callable[[str], Any] = lambda _url: made  # noqa: E731 - stands where the class stands
    monkeypatch.setattr(launching, "Dagster", as_client)
    return made


@pytest.mark.usefixtures("stood")
def test_what_is_served_and_done_in_lines_and_as_data() -> None:
    seen = launching.look("http://dagster")
    assert list(seen.lines()) == [
        "Dagster 1.13.27",
        "  location  shop: loaded, 1 assets, 2 checks",
        "  location  bank: no such module, 1 assets, 2 checks",
        "  schedule  nightly (30 5 * * * UTC): running, starts shop_build, last tick SUCCESS",
        "  sensor    aimless: stopped, starts nothing",
        "  run       01234567 shop_build: SUCCESS in 2.5 s",
        "  run       abcdefgh both: STARTED",
    ]
    plain = json.loads(json.dumps(seen.to_json()))
    assert [one["name"] for one in plain["locations"]] == ["shop", "bank"]
    assert plain["schedules"][0]["ticks"][0]["runs"] == ["run-1"]


def test_a_launch_tells_its_run_and_what_it_made(stood: Stood) -> None:
    lines = list(launching.launch(stood.url, "shop_build", "", ["shop/marts/orders"], 5.0))
    assert lines == [
        "launched shop_build: http://dagster/runs/0123456789",
        "✓ SUCCESS in 2.5 s",
        "  shop/marts/orders",
        "✓ 1 of 2 checks passed",
    ]
    assert stood.launched[0][:3] == ("shop", "shop_build", ("shop/marts/orders",))


def test_a_job_of_several_locations_has_to_be_told_apart(stood: Stood) -> None:
    with pytest.raises(UsageError, match="not to be told apart") as caught:
        list(launching.launch(stood.url, "both", "", [], 5.0))
    assert caught.value.why.endswith("bank, shop")
    with pytest.raises(UsageError, match="no job 'none' for assets") as caught:
        list(launching.launch(stood.url, "none", "", [], 5.0))
    assert caught.value.why.endswith("none of shop, bank")
    assert stood.launched == []
    list(launching.launch(stood.url, "both", "bank", [], 5.0))
    assert stood.launched[0][:2] == ("bank", "both")
