"""What holds while the local platform runs; nothing here ends it."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import requests
from botocore.exceptions import ClientError
from floe_ops import toolchain
from floe_ops.targets.local import LocalTarget

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from floe_ops.targets.interface import Platform

    Processes = list[psutil.Process]
    Poll = Callable[[Callable[[], bool], float], bool]
    Up = tuple[LocalTarget, Platform]
    Row = Callable[[LocalTarget, str], dict[str, Any]]
    Token = Callable[[Platform, str], requests.Response]

BUILT = all(toolchain.is_built(name) for name in ("jaeger", "otelcol"))
pytestmark = [pytest.mark.platform, pytest.mark.timeout(120 if BUILT else 1800)]  # the first time, Jaeger is built
NAMES = ["s3", "polaris", "otel", "jaeger"]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def up(shared_root: Path) -> tuple[LocalTarget, Platform]:
    spool = shared_root / ".floe" / "spool"
    spool.mkdir(parents=True)
    (spool / "before.json").write_text(json.dumps(_span()), encoding="utf-8")
    target = LocalTarget()
    return target, target.ensure()


def test_every_service_was_started_and_waited_for(up: Up) -> None:
    target, _ = up
    assert sorted(target.took) == sorted(NAMES)


def test_every_service_is_ready_on_loopback_alone(
    up: Up, family: Callable[[Path], Processes], shared_root: Path
) -> None:
    target, platform = up
    expected = {**dict.fromkeys([*NAMES, "lease"], "ready"), "dagster": "off"}  # it is started on demand
    assert {row.name: row.state for row in target.status()} == expected
    listening = {
        connection.laddr.ip
        for process in family(shared_root)
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr
    }
    assert listening == {"127.0.0.1"}
    assert all(url.startswith("http://127.0.0.1:") for url in platform.urls.values())


def test_a_second_ensure_changes_nothing(up: Up, family: Callable[[Path], Processes], shared_root: Path) -> None:
    _, platform = up
    before = family(shared_root)
    again = LocalTarget()
    assert again.ensure() == platform
    assert again.took == {}
    assert family(shared_root) == before
    assert LocalTarget().find() == platform


def test_its_own_endpoints_in_the_environment_are_not_taken_for_remote(up: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    _, platform = up
    for name, value in platform.environment().items():
        monkeypatch.setenv(name, value)
    assert LocalTarget().ensure() == platform
    assert LocalTarget().find() == platform


def test_secrets_are_in_no_command_line_and_in_no_open_file(
    up: Up, family: Callable[[Path], Processes], shared_root: Path
) -> None:
    _, platform = up
    secrets = list(platform.secrets.values())
    for process in family(shared_root):
        words = " ".join(process.cmdline())
        assert not [secret for secret in secrets if secret in words]
    files = [path for path in (shared_root / ".floe" / "run").rglob("*") if path.is_file()]
    holding = [path for path in files if any(secret in path.read_text("utf-8", "replace") for secret in secrets)]
    assert {path.name for path in holding} == {"secrets.json", "polaris.json", "s3.json"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in holding} == {0o600}


def test_only_the_right_keys_open_the_store(up: Up, store: Callable[[Platform], Any]) -> None:
    _, platform = up
    assert "Buckets" in store(platform).list_buckets()
    wrong = replace(platform, secrets=platform.secrets | {"s3-secret-key": "no"})
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        store(wrong).list_buckets()
    assert requests.get(platform.urls["s3"], timeout=5).status_code == 403


def test_the_catalog_signs_in_its_root_and_nobody_else(up: Up, token: Token) -> None:
    _, platform = up
    assert token(platform, platform.secrets["polaris-client-secret"]).status_code == 200
    assert token(platform, "wrong").status_code == 401


def test_spans_made_before_the_collector_was_up_are_not_lost(up: Up, shared_root: Path, poll: Poll) -> None:
    _, platform = up
    assert list((shared_root / ".floe" / "spool").glob("*.json")) == []
    url = f"{platform.urls['jaeger-query']}/api/traces/{TRACE}"
    assert poll(lambda: requests.get(url, timeout=5).status_code == 200, 10)
    assert requests.get(url, timeout=5).json()["data"][0]["spans"][0]["operationName"] == "before"


def test_a_crashed_service_is_seen_and_restarted(up: Up, poll: Poll, row: Row) -> None:
    target, _ = up
    before = row(target, "otel")
    os.kill(before["pid"], signal.SIGKILL)
    assert poll(lambda: row(target, "otel")["restarts"] == before["restarts"] + 1, 10)
    assert poll(lambda: row(target, "otel")["state"] == "ready", 10)
    assert row(target, "otel")["pid"] != before["pid"]


def _span() -> dict[str, Any]:
    now = time.time_ns()
    span = {
        "traceId": TRACE,
        "spanId": "00f067aa0ba902b7",
        "name": "before",
        "kind": 1,
        "startTimeUnixNano": str(now - 1_000_000),
        "endTimeUnixNano": str(now),
    }
    service = {"key": "service.name", "value": {"stringValue": "early"}}
    return {"resourceSpans": [{"resource": {"attributes": [service]}, "scopeSpans": [{"spans": [span]}]}]}
