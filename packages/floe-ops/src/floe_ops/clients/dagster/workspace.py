"""What a webserver serves, and the wait until all of it is loaded.

Contract: `workspaceOrError` lists every code location with `loadStatus` (LOADING, LOADED) and, once looked at, the
location or a `PythonError`; `repositoriesOrError` is a `RepositoryConnection` or an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from floe_core.errors import FloeError, MissingToolError, NotReadyError, WrongStateError

from floe_ops.clients.dagster import queries
from floe_ops.clients.dagster.answers import CodeLocation, Loaded, Repository, ServerInfo
from floe_ops.clients.dagster.webserver import short, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_ops.clients.dagster.webserver import Webserver

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.5
_REMEDY = "look into the log of the code location's server, and at the webserver's workspace.yaml"


def server_info(web: Webserver) -> ServerInfo:
    """The versions of the running webserver.

    Raises:
        MissingToolError: It does not answer.
        WrongStateError: Something else answers.
    """
    body = web.get("/server_info")
    try:
        return ServerInfo(
            webserver=body["dagster_webserver_version"],
            dagster=body["dagster_version"],
            graphql=body["dagster_graphql_version"],
        )
    except KeyError as error:
        raise web.wrong("/server_info", f"its answer has no {error}") from error


def repositories(web: Webserver) -> tuple[Repository, ...]:
    """What all loaded code locations serve; raises as `server_info`, and WrongStateError for Dagster's own."""
    return web.member(
        queries.REPOSITORIES,
        "repositoriesOrError",
        "RepositoryConnection",
        lambda found: tuple(Repository(node["name"], node["location"]["name"]) for node in found["nodes"]),
    )


def locations(web: Webserver) -> tuple[CodeLocation, ...]:
    """The code locations of the workspace, loaded or not; raises as `repositories`."""
    return web.member(
        queries.WORKSPACE,
        "workspaceOrError",
        "Workspace",
        lambda found: tuple(_location(entry) for entry in found["locationEntries"]),
    )


def unhealthy_daemons(web: Webserver) -> dict[str, str]:
    """The daemons that should run and do not, with what each says; raises as `repositories`."""

    def read(data: dict[str, Any]) -> dict[str, str]:
        rows = data["instance"]["daemonHealth"]["allDaemonStatuses"]
        wrong = [row for row in rows if row["required"] and not row["healthy"]]
        return {
            str(row["daemonType"]): short("; ".join(str(one["message"]) for one in row["lastHeartbeatErrors"] or ()))
            or "no heartbeat"
            for row in wrong
        }

    return web.data(queries.DAEMONS, "instance", read)


def complaint(url: str, found: tuple[CodeLocation, ...], expected: tuple[str, ...]) -> FloeError | None:
    """What is wrong with a workspace; None where nothing is."""
    errors = [f"{one.name}: {short(one.error)}" for one in found if one.error]
    loading = [one.name for one in found if one.is_loading]
    missing = sorted(set(expected).difference(one.name for one in found))
    if errors:
        what = f"{len(errors)} of {len(found)} code locations are not loaded"
        return WrongStateError(what, where=url, why="".join(f"\n    {one}" for one in errors), remedy=_REMEDY)
    if missing or not found:
        known = ", ".join(one.name for one in found) or "none"
        what = f"code locations are missing: {', '.join(missing)}" if missing else "the workspace is empty"
        return WrongStateError(what, where=url, why=f"the workspace has: {known}", remedy=_REMEDY)
    if loading:
        what = f"code locations are still loading: {', '.join(loading)}"
        return NotReadyError(what, where=url, why="Dagster says LOADING", remedy=_REMEDY)
    return None


@dataclass
class Wait:
    """A wait for a workspace; keeps what was wrong at the last look.

    Attributes:
        web: Whose.
        expected: Names that must be among its locations.
        tell: Takes a line whenever what is waited for changes.
        failure: What the last look found.
    """

    web: Webserver
    expected: tuple[str, ...]
    tell: Callable[[str], None]
    failure: FloeError | None = field(default=None, init=False)

    def until(self, deadline_s: float) -> Loaded:
        """Look, first every 50 ms and then less often; see `Dagster.wait_until_loaded`."""
        from tenacity import Retrying, retry_if_result, stop_before_delay, wait_exponential

        found = Retrying(
            wait=wait_exponential(multiplier=FIRST_PAUSE_S, exp_base=1.5, max=LONGEST_PAUSE_S),
            stop=stop_before_delay(deadline_s),
            retry=retry_if_result(lambda loaded: loaded is None),
            retry_error_callback=lambda _: None,
        )(self._look)
        if found is not None:
            return found
        if isinstance(self.failure, MissingToolError):
            raise NotReadyError(
                f"Dagster did not answer within {deadline_s:g} s",
                where=self.failure.where,
                why=self.failure.why,
                remedy=self.failure.remedy,
            )
        raise self.failure or NotReadyError("Dagster was never asked", where=self.web.url)

    def _look(self) -> Loaded | None:
        before = str(self.failure)
        try:
            version, found = server_info(self.web).dagster, locations(self.web)
            self.failure = complaint(self.web.url, found, self.expected)
        except FloeError as error:
            self.failure = error
        if self.failure is None:
            return Loaded(version, found)
        if str(self.failure) != before:
            self.tell(f"waiting for Dagster: {self.failure.what}: {short(self.failure.why)}")
        return None


def _location(entry: dict[str, Any]) -> CodeLocation:
    seen = entry["locationOrLoadError"] or {}
    failed = seen.get("__typename") == "PythonError"
    return CodeLocation(
        name=entry["name"],
        is_loading=entry["loadStatus"] == "LOADING",
        error=told(seen) if failed else "",
        repositories=tuple(one["name"] for one in seen.get("repositories") or ()),
    )
