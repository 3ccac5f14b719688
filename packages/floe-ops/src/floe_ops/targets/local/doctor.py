"""What this machine has and lacks for the local platform, and how to get it."""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
from floe_core.errors import FloeError

from floe_ops import project, toolchain
from floe_ops.services import LOCAL, services
from floe_ops.targets.local import catalog, ports, starting
from floe_ops.targets.seen import Finding
from floe_ops.toolchain import golang, java, wheels

if TYPE_CHECKING:
    from pathlib import Path

    from floe_ops.targets.local.target import LocalTarget

RUNNING_MB = 1000
DAGSTER_MB = 2000
"""A code server a product with 330 MB each, webserver, daemon, and two runs with 380 MB each: seen at the demo."""
GB = 1024


def examine(target: LocalTarget) -> list[Finding]:
    """Look at everything that the platform needs; changes nothing and takes a few seconds at most."""
    with ThreadPoolExecutor() as pool:
        index = pool.submit(_network)
        built = [_tool(name) for name in toolchain.TOOLS]
        to_build = any(finding.state != "ok" for finding in built)
        rows = [_python(), _git(), _object_store(), *built]
        rows += [_go(needed=to_build), _java()]
        rows.append(_disk(sum(tool.space_mb for tool in toolchain.TOOLS.values()) if to_build else RUNNING_MB))
        rows.append(_memory(psutil.virtual_memory().available // 2**20))
        rows += [_writable(target.layout.state), _catalog(), *_ports(target), index.result()]
        return rows


def _python() -> Finding:
    return Finding("python", "ok", f"{sys.version.split()[0]} in {sys.prefix}")


def _git() -> Finding:
    found = shutil.which("git")
    return Finding("git", "ok", found) if found else Finding("git", "missing", "not on PATH", "install git")


def _object_store() -> Finding:
    try:
        return Finding("weed", "ok", str(starting.weed()))
    except FloeError as error:
        return Finding("weed", "missing", error.why, error.remedy)


def _tool(name: str) -> Finding:
    try:
        if toolchain.is_built(name):
            return Finding(name, "ok", str(toolchain.expected(name)))
        return Finding(name, "note", f"to be built: {toolchain.TOOLS[name].estimate}")
    except FloeError as error:
        return Finding(name, "missing", f"{error.where}: {error.why}", error.remedy)


def _go(*, needed: bool) -> Finding:
    here = golang.on_path()
    least = max((golang.needed(tool) for tool in toolchain.TOOLS.values()), key=golang.numbers)
    if here and golang.numbers(here.version) >= golang.numbers(least):
        return Finding("go", "ok", f"{here.version} at {here.path}")
    seen = f"{here.version} on PATH is older than {least}" if here else "not on PATH"
    if not needed:
        return Finding("go", "ok", f"{seen}; not needed, every tool is built")
    return Finding("go", "note", f"{seen}; its wheel will be fetched (70 MB)", f"or install Go {least} or newer")


def _java() -> Finding:
    """Only Spark wants it, which nobody has to choose."""
    here = java.here()
    if here is not None and here.version >= java.OLDEST:
        return Finding("java", "ok", f"{here.version} at {here.path}, for Spark")
    seen = f"{here.version} at {here.path} is older than {java.OLDEST}" if here is not None else "not on PATH"
    return Finding("java", "note", f"{seen}; only `invoke dbt.spark` needs it", java.REMEDY)


def _disk(needed_mb: int) -> Finding:
    root = project.root()
    free_mb = shutil.disk_usage(root).free // 2**20
    seen = f"{free_mb / GB:.1f} GB free at {root}, {needed_mb / GB:.1f} GB needed"
    if free_mb >= needed_mb:
        return Finding("disk", "ok", seen)
    return Finding("disk", "missing", seen, "free some space; FLOE_TOOLS, GOCACHE and GOMODCACHE may name another disk")


def _memory(free_mb: int) -> Finding:
    """Too little is a note: what a system can still give is an estimate."""
    seen = f"{free_mb / GB:.1f} GB available"
    if free_mb >= RUNNING_MB + DAGSTER_MB:
        return Finding("memory", "ok", f"{seen}, enough for Dagster too")
    if free_mb >= RUNNING_MB:
        return Finding("memory", "note", f"{seen}; Dagster wants {DAGSTER_MB / GB:.1f} GB more than the platform")
    return Finding("memory", "note", f"{seen}, {RUNNING_MB / GB:.1f} GB wanted", "end what takes most of it")


def _writable(state: Path) -> Finding:
    place = state if state.exists() else state.parent
    if os.access(place, os.W_OK | os.X_OK):
        return Finding("files", "ok", f"{state} can be written to")
    return Finding("files", "missing", f"{place} cannot be written to", "make it writable for yourself")


def _catalog() -> Finding:
    url = os.environ.get("FLOE_POLARIS_URL")
    if url:
        return Finding("catalog", "ok", f"remote, at {url}")
    try:
        server = catalog.server(os.environ)
    except FloeError as error:
        return Finding("catalog", "missing", f"{error.what}: {error.why}", error.remedy)
    more = "" if server.kind == "polaris-home" else "set FLOE_POLARIS_HOME or FLOE_POLARIS_URL for Apache Polaris"
    return Finding("catalog", "ok", server.kind, more)


def _ports(target: LocalTarget) -> list[Finding]:
    """Default ports that somebody else holds; the platform then takes others."""
    running = target.find()
    own = set(running.urls.values()) if running else set()
    rows = []
    for service in services(LOCAL).values():
        for name, port in service.ports.items():
            if f"http://{ports.HOST}:{port}" in own or ports.is_free(port):
                continue
            rows.append(Finding(f"port {port}", "note", f"{name}: taken by {_listener(port)}; another will be used"))
    return rows or [Finding("ports", "ok", "all default ports are free, or the platform's own")]


def _listener(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            at = getattr(connection.laddr, "port", None)  # an empty tuple where the socket has no address
            if connection.status == psutil.CONN_LISTEN and at == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        return "a process that you may not look at"
    return "a process of somebody else"


def _network() -> Finding:
    """Whether the package index answers; needed only for what is not here yet."""
    why = wheels.why_not(golang.GROUP)
    if why:
        return Finding("package index", "note", why, "needed only for what is not installed or built yet")
    return Finding("package index", "ok", "answers")
