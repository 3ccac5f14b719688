"""What both majors answer, read: the texts are theirs, shortened."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from floe_core.errors import WrongStateError
from floe_ops.clients.helm_model import Status, read_history, read_list, read_release

THIRD = {
    "revision": 2,
    "updated": "2026-11-27T18:30:01.123456789Z",
    "status": "pending-upgrade",
    "chart": "floe-platform-0.1.0",
    "app_version": "0.1.0",
    "description": "Preparing upgrade",
}


def test_a_history_is_read_oldest_first_with_what_a_rollback_restores() -> None:
    custom = {**THIRD, "revision": 4, "rollback_revision": 2, "description": "by hand", "status": "deployed"}
    told = {**THIRD, "revision": 3, "description": "Rollback to 1", "status": "superseded"}
    history = read_history(json.dumps([custom, told, THIRD]))
    assert [(one.number, one.status, one.restores) for one in history] == [
        (2, Status.PENDING_UPGRADE, None),
        (3, Status.SUPERSEDED, 1),
        (4, Status.DEPLOYED, 2),
    ]
    assert history[0].updated == datetime(2026, 11, 27, 18, 30, 1, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2026-01-02 03:04:05.5 +0200 CEST", "2026-01-02T01:04:05.500000Z", "2026-01-02T03:04:05.5+02:00"]
)
def test_times_are_read_in_each_way_that_they_are_written(text: str) -> None:
    element = {"name": "f", "namespace": "n", "revision": "7", "updated": text, "status": "failed", "chart": "c-1"}
    assert read_list(json.dumps([element]))[0].updated == datetime(2026, 1, 2, 1, 4, 5, 500000, tzinfo=UTC)


def test_a_status_that_nobody_knows_is_unknown() -> None:
    body = {"name": "f", "namespace": "n", "version": 1, "info": {"status": "sunken", "last_deployed": ""}}
    found = read_release(json.dumps(body))
    assert (found.status, found.updated.year, found.status.pending) == (Status.UNKNOWN, 1970, False)


@pytest.mark.parametrize("text", ["", "null", "[1]", '[{"revision": 1}]', '{"info": {}}'])
def test_another_shape_is_told(text: str) -> None:
    for read in (read_history, read_list, read_release):
        with pytest.raises(WrongStateError, match="shape that is not understood"):
            read(text)
