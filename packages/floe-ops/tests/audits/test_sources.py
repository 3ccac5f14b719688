from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import WrongStateError
from floe_ops.audits import osv_server, osv_snapshot, sources

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = datetime(2026, 6, 16, tzinfo=UTC)
DEAD = {"PIP_AUDIT_OSV_URL": "http://127.0.0.1:1/v1/query"}


def test_no_source_in_reach_is_none_and_soon() -> None:
    start = datetime.now(UTC)
    with sources.in_reach(DEAD, NOW) as found:
        assert found is None
    assert datetime.now(UTC) - start < timedelta(seconds=4)


def test_a_live_source_is_one_that_knows_the_canary(
    export: Callable[..., Path], record: Callable[..., dict[str, Any]]
) -> None:
    knowing = osv_snapshot.load(export(record("jinja2", fixed="2.10.1")), now=NOW)
    empty = osv_snapshot.load(export(record("other")), now=NOW)
    with osv_server.serving(knowing) as good, osv_server.serving(empty) as blind:
        with sources.in_reach({"PIP_AUDIT_OSV_URL": f"{good}/v1/query"}, NOW) as found:
            assert found is not None
            assert found.as_of == NOW.date()
        with sources.in_reach({"PIP_AUDIT_OSV_URL": f"{blind}/v1/query"}, NOW) as found:
            assert found is None


def test_a_snapshot_is_served_with_the_date_of_its_newest_record(
    export: Callable[..., Path], record: Callable[..., dict[str, Any]]
) -> None:
    with sources.in_reach({"FLOE_ADVISORIES": str(export(record("x"))), **DEAD}, NOW) as found:
        assert found is not None
        assert found.as_of == date(2026, 6, 15)
        assert found.title.endswith("all.zip (1 records)")


def test_live_comes_before_the_export_unless_the_machine_is_said_to_be_offline(
    export: Callable[..., Path], record: Callable[..., dict[str, Any]]
) -> None:
    named = {"FLOE_ADVISORIES": str(export(record("jinja2", fixed="2.10.1")))}
    with osv_server.serving(osv_snapshot.load(export(record("jinja2", fixed="2.10.1"), folder="live"), now=NOW)) as url:
        here = {**named, "PIP_AUDIT_OSV_URL": f"{url}/v1/query"}
        for environ, live in ((here, True), ({**here, "UV_OFFLINE": "1"}, False), ({**named, **DEAD}, False)):
            with sources.in_reach(environ, NOW) as found:
                assert found is not None
                assert (found.live, found.title.startswith("live, ")) == (live, live)


def test_an_export_of_go_modules_beside_it_is_served_too(
    export: Callable[..., Path], record: Callable[..., dict[str, Any]]
) -> None:
    folder = export(record("x"))
    with sources.in_reach({"FLOE_ADVISORIES": str(folder), **DEAD}, NOW) as found:
        assert found is not None
        assert found.go_as_of is None
    of_go = export(record("y", modified="2026-06-01T00:00:00Z"), folder="go")
    (of_go / "PyPI").rename(folder / "Go")
    with sources.in_reach({"FLOE_ADVISORIES": str(folder), **DEAD}, NOW) as found:
        assert found is not None
        assert (found.as_of, found.go_as_of) == (date(2026, 6, 15), date(2026, 6, 1))


def test_a_service_that_is_no_osv_query_is_refused() -> None:
    with (
        pytest.raises(WrongStateError, match="cannot be asked"),
        sources.in_reach({"PIP_AUDIT_OSV_URL": "http://127.0.0.1:1/"}, NOW),
    ):
        pass
