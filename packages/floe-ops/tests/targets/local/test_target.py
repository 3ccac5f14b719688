"""The local platform with its real processes: brought up, hurt in every way, and gone afterwards."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import requests
from floe_core.errors import NotReadyError, UsageError, WrongStateError
from floe_ops import toolchain
from floe_ops.targets import lease
from floe_ops.targets.local import LocalTarget, ports

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from floe_ops.targets.interface import Platform

    Processes = list[psutil.Process]
    Poll = Callable[[Callable[[], bool], float], bool]
    Row = Callable[[LocalTarget, str], dict[str, Any]]
    Token = Callable[[Platform, str], requests.Response]

BUILT = all(toolchain.is_built(name) for name in ("jaeger", "otelcol"))
pytestmark = [pytest.mark.platform, pytest.mark.timeout(120 if BUILT else 1800)]  # the first time, Jaeger is built


def test_down_leaves_no_process_and_keeps_the_data_and_the_ports(
    root: Path,
    family: Callable[[Path], Processes],
    alive: Callable[[Processes], Processes],
    store: Callable[[Platform], Any],
    token: Token,
) -> None:
    target = LocalTarget()
    first = target.ensure()
    store(first).create_bucket(Bucket="kept-bucket")
    store(first).put_object(Bucket="kept-bucket", Key="a/key", Body=b"kept")
    _make_principal(first, token)
    processes = family(root)
    target.down()
    assert alive(processes) == []
    assert target.find() is None
    assert not (root / ".floe/run/platform/secrets.json").exists()

    second = target.ensure()
    assert second.urls == first.urls
    assert second.secrets["s3-secret-key"] != first.secrets["s3-secret-key"]
    assert store(second).get_object(Bucket="kept-bucket", Key="a/key")["Body"].read() == b"kept"
    assert "floe-kept" in _principals(second, token)
    assert token(second, first.secrets["polaris-client-secret"]).status_code == 401

    target.reset()
    assert not (root / ".floe/data").exists()
    third = target.ensure()
    assert store(third).list_buckets()["Buckets"] == []
    assert "floe-kept" not in _principals(third, token)


def test_nothing_outlives_a_killed_supervisord_and_the_next_start_heals(
    root: Path, family: Callable[[Path], Processes], alive: Callable[[Processes], Processes], poll: Poll
) -> None:
    target = LocalTarget()
    target.ensure()
    processes = family(root)
    assert len(processes) == 6
    processes[0].kill()
    if sys.platform.startswith("linux"):  # elsewhere there is no parent-death signal: the next start ends them
        assert poll(lambda: alive(processes) == [], 3)
    assert target.find() is None
    target.ensure()
    assert {each.state for each in target.status() if each.name != "dagster"} == {"ready"}
    assert alive(processes) == []


def test_a_service_that_was_stopped_is_healed(root: Path, family: Callable[[Path], Processes], row: Row) -> None:
    target = LocalTarget()
    target.ensure()
    conf = root / ".floe/run/platform/supervisord.conf"
    stop = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(conf), "stop", "floe:otel"]
    subprocess.run(stop, check=True, capture_output=True, timeout=20)
    assert row(target, "otel")["state"] == "failed"
    before = family(root)[0]
    target.ensure()
    assert row(target, "otel")["state"] == "ready"
    assert family(root)[0] == before


@pytest.mark.usefixtures("root")
def test_the_lease_ends_with_its_last_owner(
    monkeypatch: pytest.MonkeyPatch,
    owner: Callable[[], subprocess.Popen[bytes]],
    family: Callable[[Path], Processes],
    alive: Callable[[Processes], Processes],
    poll: Poll,
) -> None:
    first, second = owner(), owner()
    target = LocalTarget()
    monkeypatch.setenv("FLOE_RUN_PID", str(first.pid))
    target.ensure()
    processes = family(target.layout.state.parent)
    monkeypatch.setenv("FLOE_RUN_PID", str(second.pid))
    target.ensure()
    assert family(target.layout.state.parent) == processes

    target.release(second.pid)  # the first one is still there
    assert alive(processes) == processes
    target.ensure()
    first.kill()
    first.wait()
    assert poll(lambda: lease.living(target.layout.owners) == {str(second.pid)}, 5)
    assert alive(processes) == processes

    second.kill()  # no release: the watcher sees it
    second.wait()
    assert poll(lambda: alive(processes) == [], 15)


def test_release_ends_the_platform_of_a_run_at_once(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: Callable[[], subprocess.Popen[bytes]],
    family: Callable[[Path], Processes],
    alive: Callable[[Processes], Processes],
) -> None:
    run = owner()
    monkeypatch.setenv("FLOE_RUN_PID", str(run.pid))
    LocalTarget().ensure()
    processes = family(root)
    command = [sys.executable, "-m", "floe_ops.targets.release", "--pid", str(run.pid)]
    start = time.monotonic()
    subprocess.run(command, check=True, timeout=30)
    assert alive(processes) == []
    assert time.monotonic() - start < 20


def test_a_platform_at_a_desk_stays_when_a_run_that_met_it_ends(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: Callable[[], subprocess.Popen[bytes]],
    family: Callable[[Path], Processes],
    alive: Callable[[Processes], Processes],
) -> None:
    target = LocalTarget()
    target.ensure()
    processes = family(root)
    run = owner()
    monkeypatch.setenv("FLOE_RUN_PID", str(run.pid))
    target.ensure()
    monkeypatch.setenv("FLOE_POLARIS_URL", "http://127.0.0.1:1")
    with pytest.raises(WrongStateError, match="another catalog"):
        target.ensure()  # the person at the desk goes on with the one that is there
    target.release(run.pid)
    assert alive(processes) == processes


def test_a_run_that_is_gone_gets_no_platform(
    root: Path, monkeypatch: pytest.MonkeyPatch, owner: Callable[[], subprocess.Popen[bytes]]
) -> None:
    run = owner()
    run.kill()
    run.wait()
    monkeypatch.setenv("FLOE_RUN_PID", str(run.pid))
    with pytest.raises(UsageError, match="the run that the platform should belong to"):
        LocalTarget().ensure()
    assert not (root / ".floe/run/platform").exists()


def test_a_taken_port_is_avoided_and_one_that_is_taken_in_the_last_moment_too(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assigned = ports.assign
    turns: list[int] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        def late(*words: Any) -> dict[str, int]:
            turns.append(len(turns))
            given = assigned(*words)
            return given | {"otel-health": port} if len(turns) == 1 else given

        monkeypatch.setattr(ports, "assign", late)
        platform = LocalTarget().ensure()
    assert turns == [0, 1]
    assert platform.urls["otel-health"] != f"http://127.0.0.1:{port}"
    assert requests.get(platform.urls["otel-health"], timeout=5).status_code == 200


def test_a_service_that_cannot_start_ends_the_attempt_and_shows_its_log(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "otelcol"
    broken.write_text("#!/bin/sh\necho 'no such pipeline: tracks' >&2\nexit 3\n", encoding="utf-8")
    broken.chmod(0o755)
    monkeypatch.setenv("FLOE_TOOL_OTELCOL", str(broken))
    start = time.monotonic()
    with pytest.raises(NotReadyError) as caught:
        LocalTarget().ensure()
    assert time.monotonic() - start < 25
    assert "no such pipeline: tracks" in caught.value.why
    assert "otel" in caught.value.what
    assert LocalTarget().find() is None
    assert not [each for each in psutil.process_iter(["cmdline"]) if str(root) in " ".join(each.info["cmdline"] or [])]


def test_two_at_once_start_one_platform(root: Path, family: Callable[[Path], Processes]) -> None:
    code = "from floe_ops.targets.local import LocalTarget as T; p = T().ensure(); print(sorted(p.urls.items()))"
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root) for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == said[1]
    ours = str(root / ".floe/run/platform/supervisord.conf")
    assert [each.pid for each in psutil.process_iter(["cmdline"]) if ours in (each.info["cmdline"] or [])] == [
        family(root)[0].pid
    ]


def _management(platform: Platform, token: Token) -> tuple[str, dict[str, str]]:
    token = token(platform, platform.secrets["polaris-client-secret"]).json()["access_token"]
    return f"{platform.urls['polaris']}/api/management/v1/principals", {"Authorization": f"Bearer {token}"}


def _make_principal(platform: Platform, token: Token) -> None:
    url, headers = _management(platform, token)
    made = requests.post(url, headers=headers, json={"principal": {"name": "floe-kept"}}, timeout=10)
    assert made.status_code == 201


def _principals(platform: Platform, token: Token) -> set[str]:
    url, headers = _management(platform, token)
    return {each["name"] for each in requests.get(url, headers=headers, timeout=10).json()["principals"]}
