"""The bootstrap against the stand-in, with lost requests, kills at every write, and two runs at once."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import CredentialsRefusedError, ExitCode, FloeError, NotReadyError, WrongStateError
from floe_ops.bootstrap import GRANT, Report, bootstrap, plan
from floe_ops.bootstrap.pieces import Piece
from floe_ops.bootstrap.run import Step, ensure

if TYPE_CHECKING:
    from floe_ops.warehouse import Warehouse
    from polaris_standin.doubles import Buckets, Gate

PIECES = [
    "bucket",
    "catalog",
    "principal role",
    "assignment",
    "catalog role",
    "grant",
    "catalog role assignment",
]
POLARIS_WRITES = 6


class Killed(BaseException):
    """Stands for a process that ends at this moment."""


def outcomes(report: Report, outcome: str) -> list[str]:
    return [step.step for step in report.steps if step.outcome.value == outcome]


def assert_right(warehouse: Warehouse) -> None:
    """The state by the server's own listing, not by what the bootstrap says."""
    with warehouse.client() as client:
        seen = client.catalog(warehouse.catalog)
        assert seen is not None
        assert warehouse.spec().differences(seen) == ()
        assert [grant.privilege for grant in client.grants(warehouse.catalog, "floe_rw")] == [GRANT]
        assert "floe_writer" in client.roles_of_principal("root")
        assert client.catalog_roles_of("floe_writer", warehouse.catalog) == ("floe_rw",)


@pytest.mark.requirement("WU1-AC1", "WU1-AC2")
def test_makes_everything_once_and_verifies_it_each_time(warehouse: Warehouse, gate: Gate) -> None:
    first = bootstrap(warehouse)
    assert outcomes(first, "created") == PIECES
    assert outcomes(first, "verified") == [*PIECES, "access"]
    assert f"base location s3://{warehouse.bucket}" in first.detail("catalog")
    assert "signed HeadBucket" in first.detail("bucket")
    assert_right(warehouse)
    written = len(gate.writes)
    assert written == POLARIS_WRITES
    second = bootstrap(warehouse)
    assert outcomes(second, "present") == PIECES
    assert outcomes(second, "verified") == [*PIECES, "access"]
    assert len(gate.writes) == written, "the second run writes nothing"


def test_a_plan_changes_nothing(warehouse: Warehouse, gate: Gate, buckets: Buckets) -> None:
    assert {step.outcome.value for step in plan(warehouse)} == {"to create"}
    assert (gate.writes, buckets.created) == ([], [])
    bootstrap(warehouse)
    assert {step.outcome.value for step in plan(warehouse)} == {"present"}


@pytest.mark.parametrize("at", range(1, len(PIECES) + 2))
def test_killed_after_any_step_the_next_run_finishes(warehouse: Warehouse, at: int) -> None:
    told: list[Step] = []

    def die(step: Step) -> None:
        told.append(step)
        if len(told) == at:
            raise Killed

    with pytest.raises(Killed):
        bootstrap(warehouse, tell=die)
    report = bootstrap(warehouse)
    assert outcomes(report, "created") == PIECES[at:]
    assert_right(warehouse)


@pytest.mark.parametrize("taken", [False, True], ids=["lost before", "lost after"])
@pytest.mark.parametrize("at", range(1, POLARIS_WRITES + 1))
def test_a_lost_write_is_made_good_in_the_same_run(warehouse: Warehouse, gate: Gate, at: int, *, taken: bool) -> None:
    gate.lose, gate.taken = at, taken
    bootstrap(warehouse)
    assert_right(warehouse)


def test_two_runs_at_once_both_end_well(warehouse: Warehouse, buckets: Buckets) -> None:
    reports: list[Report] = []
    errors: list[BaseException] = []
    start = threading.Barrier(4)

    def run() -> None:
        try:
            start.wait(10)
            reports.append(bootstrap(warehouse))
        except BaseException as error:  # noqa: BLE001 - told to the test below
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert len(reports) == 4
    assert sum("catalog" in outcomes(report, "created") for report in reports) == 1
    assert len(buckets.created) == 1
    assert_right(warehouse)


@pytest.mark.requirement("WU1-AC1", "WU1-BC1")
def test_a_catalog_with_other_values_ends_it_with_every_difference(warehouse: Warehouse, gate: Gate) -> None:
    bootstrap(warehouse)
    written = len(gate.writes)
    other = replace(warehouse, location=f"s3://{warehouse.bucket}/elsewhere", region="eu-west-1")
    with pytest.raises(WrongStateError) as caught:
        bootstrap(other)
    assert caught.value.exit_code == ExitCode.WRONG
    assert f"base location: wanted s3://{warehouse.bucket}/elsewhere, is s3://{warehouse.bucket}" in caught.value.why
    assert "region: wanted eu-west-1, is us-east-1" in caught.value.why
    assert len(gate.writes) == written, "what is there is not changed"


def test_an_overlapping_location_names_the_other_catalog(warehouse: Warehouse) -> None:
    bootstrap(warehouse)
    inside = replace(warehouse, catalog="inside", location=f"s3://{warehouse.bucket}/inside")
    with pytest.raises(WrongStateError, match=rf"floe-e2e \(s3://{warehouse.bucket}\)"):
        bootstrap(inside)


@pytest.mark.requirement("WU1-BC3")
def test_a_missing_bucket_that_is_not_ours_to_make_fails_and_a_retry_heals(
    warehouse: Warehouse, gate: Gate, buckets: Buckets
) -> None:
    with pytest.raises(WrongStateError, match=warehouse.bucket) as caught:
        bootstrap(warehouse, create_bucket=False)
    assert "HTTP 404 to a signed HeadBucket" in caught.value.why
    assert gate.writes == [], "no catalog over a bucket that is not there"
    buckets.names.add(warehouse.bucket)
    assert outcomes(bootstrap(warehouse, create_bucket=False), "present") == ["bucket"]


@pytest.mark.requirement("WU1-BC4")
def test_refused_credentials_name_client_and_endpoint(warehouse: Warehouse) -> None:
    with pytest.raises(CredentialsRefusedError) as caught:
        bootstrap(replace(warehouse, client_secret="planted-wrong-secret"))  # noqa: S106 - planted, to be looked for
    said = str(caught.value)
    assert "'root'" in said
    assert warehouse.url in said
    assert "planted" not in said


@pytest.mark.parametrize("gone", ["polaris", "store"])
def test_a_server_that_never_comes_ends_it_in_time(warehouse: Warehouse, gone: str) -> None:
    dead = "http://127.0.0.1:1"
    lost = (
        replace(warehouse, url=dead, management_url=dead) if gone == "polaris" else replace(warehouse, s3_endpoint=dead)
    )
    start = time.monotonic()
    with pytest.raises(NotReadyError, match="connection refused"):
        bootstrap(lost, timeout_s=0.5)
    assert time.monotonic() - start < 5


def test_what_is_accepted_but_never_listed_is_an_error() -> None:
    made: list[int] = []

    def make() -> bool:
        made.append(1)
        return True

    with pytest.raises(FloeError, match="not there") as caught:
        ensure(Piece("ghost", "a ghost", lambda: None, make), settle_s=0.3)
    assert caught.value.exit_code == ExitCode.TIMEOUT
    assert len(made) > 1


def test_what_disappears_before_the_end_is_seen(warehouse: Warehouse) -> None:
    def revoke(step: Step) -> None:
        if step.step == "catalog role assignment" and step.outcome.value == "created":
            with warehouse.client() as client:
                client.delete_catalog_role(warehouse.catalog, "floe_rw")

    with pytest.raises(NotReadyError, match="gone again"):
        bootstrap(warehouse, tell=revoke)
