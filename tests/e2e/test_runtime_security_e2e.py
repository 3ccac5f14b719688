"""The running platform from outside: who can reach it, and where its secrets can be read."""

from __future__ import annotations

import ipaddress
import stat
from typing import TYPE_CHECKING

import psutil
import pytest
from floe_ops.targets.local import LocalTarget
from floe_ops.targets.local.credentials import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from floe_ops.targets import Platform

pytestmark = [pytest.mark.platform, pytest.mark.local]
NEEDS_SECRETS = {"polaris"}
"""The store reads its keys from a file of its own."""
SHORTEST = 12


@pytest.fixture
def services(platform: Platform) -> dict[str, list[psutil.Process]]:
    """The platform's processes by service, with their children; the lease's watcher and supervisord among them."""
    target = LocalTarget()
    found = {row.name: _family(row.pid) for row in target.status() if row.pid}
    supervisor = found[next(iter(found))][0].parent()
    assert supervisor is not None
    return {**found, "supervisord": [supervisor]}


@pytest.fixture
def secrets(platform: Platform) -> Callable[[str], list[str]]:
    """A function that names the secrets which stand in a text."""
    known = load(LocalTarget().layout.secrets)
    assert known is not None
    values = {name: value for name, value in known.items() if len(value) >= SHORTEST}
    assert len(values) >= 4  # the client's id is no secret
    return lambda text: sorted(name for name, value in values.items() if value in text)


@pytest.mark.requirement("WU1-AC4")
def test_every_socket_that_listens_is_on_loopback(services: dict[str, list[psutil.Process]]) -> None:
    seen = {
        (name, connection.laddr.ip)
        for name, processes in services.items()
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {name for name, _ in seen} >= {"object-store", "polaris", "otel", "jaeger"} & set(services)
    assert [each for each in sorted(seen) if not ipaddress.ip_address(each[1]).is_loopback] == []


@pytest.mark.requirement("WU1-AC4")
def test_no_secret_is_on_the_command_line_of_any_process(secrets: Callable[[str], list[str]]) -> None:
    """Of any on this machine that can be looked at: what a task or a tool was started with counts too."""
    telling = []
    looked_at = 0
    for process in psutil.process_iter(["cmdline"]):
        words = "\0".join(process.info["cmdline"] or ())
        looked_at += bool(words)
        telling += [(process.pid, name) for name in secrets(words)]
    assert looked_at > 4
    assert telling == []


@pytest.mark.requirement("WU1-AC4")
def test_only_the_catalog_has_secrets_in_its_environment(
    services: dict[str, list[psutil.Process]], secrets: Callable[[str], list[str]]
) -> None:
    holding = {
        name
        for name, processes in services.items()
        for process in processes
        if secrets("\0".join(process.environ().values()))
    }
    assert holding == NEEDS_SECRETS & set(services)


@pytest.mark.requirement("WU1-AC4")
def test_files_with_secrets_are_their_owners_alone(secrets: Callable[[str], list[str]]) -> None:
    layout = LocalTarget().layout
    files = [path for folder in (layout.run, layout.data) for path in folder.rglob("*") if _is_plain(path)]
    holding = {path: stat.S_IMODE(path.stat().st_mode) for path in files if secrets(path.read_text("utf-8", "replace"))}
    assert layout.secrets in holding
    assert {path: oct(mode) for path, mode in holding.items() if mode & 0o077} == {}


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size < 64 * 1024 * 1024
