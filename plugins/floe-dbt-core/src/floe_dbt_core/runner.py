"""One dbt command in this process: its arguments, its surroundings, its events and its outcome."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from floe_core.plugins import DbtCommand, DbtNode, DbtRequest, DbtResult
from floe_core.telemetry import span

from floe_dbt_core import artifacts
from floe_dbt_core.failures import from_exception, from_lines
from floe_dbt_core.nodes import from_event, from_result, from_start
from floe_dbt_core.spans import record_nodes
from floe_dbt_core.tested import TestedNodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from floe_dbt_core.parsed import Parsed

_ONE_AT_A_TIME = threading.RLock()
_SELECTING = frozenset(
    {DbtCommand.COMPILE, DbtCommand.SEED, DbtCommand.RUN, DbtCommand.TEST, DbtCommand.BUILD, DbtCommand.DOCS}
)
# After seeds the manifest is as it was parsed, and the models' results will follow.
_KEEPING = frozenset({DbtCommand.COMPILE, DbtCommand.RUN, DbtCommand.TEST, DbtCommand.BUILD})
_REFRESHING = frozenset({DbtCommand.SEED, DbtCommand.RUN, DbtCommand.BUILD})
# Lines of `dbt debug` that say which check failed; its result is no more than a bool.
_DEBUG_EVENTS = frozenset({"DebugCmdResult"})
_PACKAGES = ("packages.yml", "dependencies.yml")
# Nobody is told about runs: the two names that dbt knows for it.
_PRIVATE = {"DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


class Invocation:
    """One command of one request; used once."""

    def __init__(
        self,
        request: DbtRequest,
        on_node: Callable[[DbtNode], None] | None,
        on_start: Callable[[DbtNode], None] | None,
        parsed: Parsed,
    ) -> None:
        self._request = request
        self._parsed = parsed
        self._target = request.target_path.resolve()
        self._on_node = on_node
        self._on_start = on_start
        self._debug_lines: list[str] = []

    def run(self) -> DbtResult:
        """Run it; see `DBTCorePlugin.run` for what is raised."""
        request = self._request
        started = time.monotonic()
        if request.command is DbtCommand.DEPS and not any((request.project_dir / name).is_file() for name in _PACKAGES):
            # Asked all the same, dbt would leave an empty folder in the project.
            return DbtResult(request.command, success=True, elapsed_s=0.0)
        with (
            _ONE_AT_A_TIME,
            span(
                f"dbt {request.command.value}",
                **{"dbt.project": request.project_dir.name, "dbt.target": request.target},
            ),
        ):
            outcome = self._invoke()
            if outcome.exception is not None:
                raise from_exception(outcome.exception, request) from outcome.exception
            if not outcome.success and self._debug_lines:
                raise from_lines(self._debug_lines, request)
            tested = TestedNodes(self._target / "manifest.json")
            nodes = tuple(from_result(one, tested) for one in getattr(outcome.result, "results", ()) or ())
            record_nodes(nodes)
        return DbtResult(request.command, bool(outcome.success), time.monotonic() - started, nodes)

    def _invoke(self) -> Any:
        from dbt.cli.main import dbtRunner

        # Made before the working directory changes: their relative paths are the caller's.
        words, environment = arguments(self._request), self._environment()
        asked = replace(
            self._request,
            project_dir=self._request.project_dir.resolve(),
            profiles_dir=self._request.profiles_dir.resolve(),
            command=DbtCommand.PARSE,
        )
        with _surroundings(environment, self._request.project_dir):
            try:
                manifest = self._parsed.get(asked, lambda: self._parse(asked)) if self._builds_on_a_manifest() else None
                outcome = dbtRunner(manifest, callbacks=[self._hear]).invoke(words)
                self._keep(manifest, outcome)
            finally:
                _release_database()
            return outcome

    def _builds_on_a_manifest(self) -> bool:
        return self._request.command in _SELECTING

    def _keep(self, manifest: Any, outcome: Any) -> None:
        """Write what the command has made of the manifest, and its results."""
        if outcome.exception is not None:
            return
        if self._request.command is DbtCommand.PARSE:
            artifacts.keep_manifest(outcome.result, self._target)
        elif self._request.command in _KEEPING:
            artifacts.keep_manifest(manifest, self._target)
            artifacts.keep_results(outcome.result, self._target)

    def _parse(self, asked: DbtRequest) -> Any:
        """The parsed project.

        Raises:
            DbtError: It cannot be parsed.
        """
        from dbt.cli.main import dbtRunner

        done = dbtRunner().invoke(arguments(asked))
        if done.exception is not None:
            raise from_exception(done.exception, self._request) from done.exception
        artifacts.keep_manifest(done.result, self._target)
        return done.result

    def _environment(self) -> dict[str, str]:
        """By environment, because not every command takes these as options."""
        paths = {"DBT_TARGET_PATH": str(self._target), "DBT_LOG_PATH": str(self._target.with_name("logs"))}
        return {**paths, **_PRIVATE, **self._request.environment}

    def _hear(self, event: Any) -> None:
        if event.info.name in _DEBUG_EVENTS:
            self._debug_lines.append(event.info.msg)
        elif event.info.name == "NodeFinished" and self._on_node is not None and self._builds():
            self._on_node(from_event(event.data))
        elif event.info.name == "NodeStart" and self._on_start is not None and self._builds():
            self._on_start(from_start(event.data))

    def _builds(self) -> bool:
        """Whether nodes are the outcome; to make the docs, dbt compiles them all again."""
        return self._request.command in _SELECTING - {DbtCommand.DOCS}


def arguments(request: DbtRequest) -> list[str]:
    """The words for dbt's own command line; paths absolute, because dbt changes the working directory."""
    words = [*request.command.value.split(), "--log-level", "none", "--target", request.target]
    words += [
        "--project-dir",
        str(request.project_dir.resolve()),
        "--profiles-dir",
        str(request.profiles_dir.resolve()),
    ]
    if request.variables:
        words += ["--vars", json.dumps(dict(request.variables))]
    if request.select and request.command in _SELECTING:
        words += ["--select", *request.select]
    if request.command in _SELECTING | {DbtCommand.PARSE}:
        words.append("--no-write-json")  # floe_dbt_core.artifacts does it, in a tenth of the time
    if request.command is DbtCommand.DOCS:
        words.append("--no-compile")  # what ran before has compiled what it built
    if request.full_refresh and request.command in _REFRESHING:
        words.append("--full-refresh")
    return words


@contextmanager
def _surroundings(environment: dict[str, str], project_dir: Path) -> Iterator[None]:
    """Set variables and go to the project, and give both back as they were.

    A relative path in a profile, such as that of a database file, is taken from the project wherever dbt is called.
    """
    before = {name: os.environ.get(name) for name in environment}
    folder = os.getcwd()  # noqa: PTH109 - paired with chdir, which has no pathlib form either
    os.environ.update(environment)
    try:
        if project_dir.is_dir():  # where it is not, dbt says so
            os.chdir(project_dir)
        yield
    finally:
        os.chdir(folder)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _release_database() -> None:
    """Close DuckDB's file: the adapter keeps it open for its next command, and nobody else could open it."""
    module = sys.modules.get("dbt.adapters.duckdb.connections")
    if module is None:
        return
    manager = module.DuckDBConnectionManager
    with manager._LOCK:  # noqa: SLF001 - the adapter has no public way to close its file
        if manager._ENV is not None:  # noqa: SLF001 - as above
            manager._ENV.close()  # noqa: SLF001 - as above
        manager.close_all_connections()
