"""Dagster as processes on loopback: a webserver, a daemon, and a code server for each product.

Rendering alone: `demand` starts it under the platform's supervisord, and a test may start the same programs by itself.
Storage is SQLite below DAGSTER_HOME; runs are processes that the code servers start, so each of those, and what it
starts, carries a mark in its environment by which `sweeper` finds what would outlive it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess  # nosec B404 - runs Dagster's own command line
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from floe_core.errors import FloeError, MissingToolError, NotReadyError, WrongStateError

from floe_ops.targets.local.layout import write_private
from floe_ops.targets.local.ports import HOST
from floe_ops.targets.local.programs import Program
from floe_ops.targets.local.sweeper import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SERVICE = "dagster"
DAEMON = "dagster-daemon"
SWEEPER = "dagster-sweeper"
DEFINITIONS = "definitions.py"
_DAYS_KEPT = 30
_MAKE_S = 60.0
_START_S = 120  # a run that is handed to a code server and does not begin by then has failed
_LONGEST_S = 4 * 3600


@dataclass(frozen=True)
class Location:
    """One code location: the product's name, its `definitions.py`, and the port of its server."""

    name: str
    file: Path
    port: int

    @property
    def program(self) -> str:
        """Its program's name, and its log's."""
        return f"{SERVICE}-{self.name}"


@dataclass(frozen=True)
class Deployment:
    """A Dagster in one folder.

    Attributes:
        home: DAGSTER_HOME; products keep their files in it too.
        port: The webserver's.
        locations: What is served.
        environment: For every process; holds secrets.
        mark: Names this deployment among all on this machine.
        settings: Put over the instance's own, for example another poll interval.
    """

    home: Path
    port: int
    locations: tuple[Location, ...]
    environment: Mapping[str, str] = field(repr=False)
    mark: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        """The file that names the code servers."""
        return self.home / "workspace.yaml"

    def programs(self) -> list[Program]:
        """What runs, in the order in which it is best started: code servers, webserver, daemon, sweeper."""
        return [*map(self._code_server, self.locations), self._webserver(), self._daemon(), self._sweeper()]

    def make_storage(self) -> None:
        """Make the storage, where it is not there whole, before any of the programs starts.

        Several that find none would each make one, and leave tables with two heads of their migrations.

        Raises:
            WrongStateError: Dagster refuses the settings, or what lies there.
            NotReadyError: It does not finish in time.
        """
        made = self.home / "storage" / ".made"
        for program in self.programs():
            for path, text in program.files.items():
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                write_private(path, text)
        if made.is_file():
            return
        shutil.rmtree(made.parent, ignore_errors=True)
        command = [sys.executable, "-m", "dagster", "instance", "info"]
        try:
            done = subprocess.run(  # noqa: S603  # nosec B603 - our own interpreter, no shell
                command, env=self._env(), cwd=self.home, capture_output=True, text=True, timeout=_MAKE_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise NotReadyError("Dagster's storage was not made in time", where=str(made.parent)) from None
        if done.returncode != 0:
            raise WrongStateError(
                "Dagster's storage cannot be made",
                where=str(self.home),
                why=done.stderr.strip()[-600:],
                remedy="call `invoke platform.reset` to begin with an empty one",
            )
        made.touch()

    def _code_server(self, location: Location) -> Program:
        state = self.home / "products" / location.name
        words = ["--host", HOST, "--port", str(location.port), "--location-name", location.name]
        words += ["--python-file", str(location.file), "--working-directory", str(location.file.parent)]
        # A product that cannot be loaded is served as its error; otherwise its server would end, again and again.
        words += ["--lazy-load-user-code", "--use-python-environment-entry-point"]
        return Program(
            location.program,
            [sys.executable, "-m", "dagster", "api", "grpc", *words],
            env=self._env(FLOE_PRODUCT_STATE=str(state), **{MARK: self.mark}),
            cwd=state,
        )

    def _webserver(self) -> Program:
        words = ["-h", HOST, "-p", str(self.port), "-w", str(self.workspace)]
        files = {self.home / "dagster.yaml": self._instance(), self.workspace: self._workspace()}
        return self._script(SERVICE, "dagster-webserver", words, files)

    def _daemon(self) -> Program:
        return self._script(DAEMON, "dagster-daemon", ["run", "-w", str(self.workspace)], {})

    def _sweeper(self) -> Program:
        words = ["-m", "floe_ops.targets.local.sweeper", self.mark]
        return Program(SWEEPER, [sys.executable, *words], env=self._env(), cwd=self.home)

    def _script(self, name: str, script: str, words: list[str], files: dict[Path, str]) -> Program:
        program = Path(sys.prefix) / "bin" / script
        return Program(name, [sys.executable, str(program), *words], env=self._env(), cwd=self.home, files=files)

    def _env(self, **more: str) -> dict[str, str]:
        fixed = {"DAGSTER_HOME": str(self.home), "DAGSTER_DISABLE_TELEMETRY": "1", "PYTHONUNBUFFERED": "1"}
        return {**self.environment, **fixed, **more}

    def _instance(self) -> str:
        """`dagster.yaml`: SQLite, runs one after the other beyond the processors, ticks kept for a month."""
        kept = {"skipped": 7, "failure": _DAYS_KEPT, "success": _DAYS_KEPT}
        config: dict[str, Any] = {
            "telemetry": {"enabled": False},
            "nux": {"enabled": False},
            "storage": {"sqlite": {"base_dir": str(self.home / "storage")}},
            "compute_logs": {
                "module": "dagster._core.storage.local_compute_log_manager",
                "class": "LocalComputeLogManager",
                "config": {"base_dir": str(self.home / "compute-logs")},
            },
            "run_coordinator": {"module": "dagster._core.run_coordinator", "class": "QueuedRunCoordinator"},
            "concurrency": {
                "pools": {"granularity": "op", "default_limit": 1},  # a product's pool: one build of it at a time
                "runs": {"max_concurrent_runs": max(2, os.cpu_count() or 1)},
            },
            "run_monitoring": {
                "enabled": True,
                "start_timeout_seconds": _START_S,
                "max_runtime_seconds": _LONGEST_S,
                "poll_interval_seconds": 30,
                "free_slots_after_run_end_seconds": 5,  # one that was killed gives no place back
            },
            "retention": {
                "schedule": {"purge_after_days": kept},
                "sensor": {"purge_after_days": kept},
            },
        }
        return yaml.safe_dump(config | dict(self.settings), sort_keys=False)

    def _workspace(self) -> str:
        servers = [
            {"grpc_server": {"host": HOST, "port": one.port, "location_name": one.name}} for one in self.locations
        ]
        return yaml.safe_dump({"load_from": servers}, sort_keys=False)


def discover(products: Path) -> dict[str, Path]:
    """`definitions.py` by product name, for every product below `products` that has one.

    A product whose floe.yaml cannot be read goes by its folder's name: its code server tells what is wrong with it.

    Raises:
        MissingToolError: There is none.
    """
    from floe_core.spec.load import PRODUCT_FILE, load_product

    found: dict[str, Path] = {}
    for file in sorted(products.glob(f"*/{DEFINITIONS}")):
        if not (file.parent / PRODUCT_FILE).is_file():
            continue
        try:
            name = load_product(file.parent).model.metadata.name
        except FloeError:
            name = file.parent.name
        found[name] = file
    if not found:
        raise MissingToolError(
            "there is no product for Dagster to serve",
            where=str(products),
            why=f"no folder in it has {PRODUCT_FILE} and {DEFINITIONS}",
            remedy="add a definitions.py to a product: `defs = load_product_definitions(Path(__file__).parent)`",
        )
    return found


def fingerprint(programs: Iterable[Program], sources: Iterable[Path]) -> str:
    """A digest of what was started and of the sources behind it, by name, size and time; no secret is in it."""
    digest = hashlib.sha256()
    for program in programs:
        digest.update("\0".join(program.argv).encode())
        for text in program.files.values():
            digest.update(text.encode())
    for folder in sources:
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".py", ".sql", ".yml", ".yaml", ".csv"} and not _IGNORED & set(path.parts):
                seen = path.stat()
                digest.update(f"{path}\0{seen.st_size}\0{seen.st_mtime_ns}".encode())
    return digest.hexdigest()


_IGNORED = {"target", "dbt_packages", "logs", "__pycache__"}
