"""A typed client of Dagster's webserver: what it is, and whether its code locations are loaded.

Contract: `GET /server_info`, and `POST /graphql` with the queries below, of Dagster 1.13 (`dagster_graphql.schema`):
`workspaceOrError` lists every code location with `loadStatus` (LOADING, LOADED) and, once looked at, the location or
a `PythonError`; `repositoriesOrError` is a `RepositoryConnection` or a `PythonError`. GraphQL's own errors come as
`{"errors": [{"message"}]}`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from floe_core.errors import FloeError, MissingToolError, NotReadyError, WrongStateError

from floe_ops.clients import untrusted

if TYPE_CHECKING:
    from collections.abc import Callable

Read = TypeVar("Read")

REQUEST_S = 10.0
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.5
SHOWN = 2000  # characters of an answer that an error repeats
_WORKSPACE = """
query FloeWorkspace {
  workspaceOrError {
    __typename
    ... on Workspace {
      locationEntries {
        name
        loadStatus
        locationOrLoadError {
          __typename
          ... on RepositoryLocation { repositories { name } }
          ... on PythonError { message causes { message } }
        }
      }
    }
    ... on PythonError { message }
  }
}
"""
_REPOSITORIES = """
query FloeRepositories {
  repositoriesOrError {
    __typename
    ... on RepositoryConnection { nodes { name location { name } } }
    ... on PythonError { message }
  }
}
"""


@dataclass(frozen=True)
class ServerInfo:
    """Versions of the running webserver."""

    webserver: str
    dagster: str
    graphql: str


@dataclass(frozen=True)
class Repository:
    """A repository and the code location that serves it."""

    name: str
    location: str


@dataclass(frozen=True)
class CodeLocation:
    """One code location of the workspace.

    Attributes:
        name: As the workspace names it.
        is_loading: Whether Dagster is still about it.
        error: Dagster's message where it could not be loaded, with its causes; empty otherwise.
        repositories: Names of what it serves.
    """

    name: str
    is_loading: bool
    error: str
    repositories: tuple[str, ...]

    @property
    def is_loaded(self) -> bool:
        """Whether it is served without an error."""
        return not self.is_loading and not self.error


@dataclass(frozen=True)
class Loaded:
    """A workspace all of whose code locations are loaded."""

    version: str
    locations: tuple[CodeLocation, ...]


class Dagster:
    """Asks one webserver.

    Args:
        url: Its base URL, for example `http://127.0.0.1:3000`.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def server_info(self) -> ServerInfo:
        """The versions of the running webserver.

        Raises:
            MissingToolError: It does not answer.
            WrongStateError: Something else answers.
        """
        body = self._ask("GET", "/server_info")
        try:
            return ServerInfo(
                webserver=body["dagster_webserver_version"],
                dagster=body["dagster_version"],
                graphql=body["dagster_graphql_version"],
            )
        except KeyError as error:
            raise self._wrong("/server_info", f"its answer has no {error}") from error

    def repositories(self) -> tuple[Repository, ...]:
        """What all loaded code locations serve; raises as `server_info`, and WrongStateError for Dagster's own."""
        return self._member(
            _REPOSITORIES,
            "repositoriesOrError",
            "RepositoryConnection",
            lambda found: tuple(Repository(node["name"], node["location"]["name"]) for node in found["nodes"]),
        )

    def locations(self) -> tuple[CodeLocation, ...]:
        """The code locations of the workspace, loaded or not; raises as `repositories`."""
        return self._member(
            _WORKSPACE,
            "workspaceOrError",
            "Workspace",
            lambda found: tuple(_location(entry) for entry in found["locationEntries"]),
        )

    def wait_until_loaded(
        self,
        deadline_s: float,
        *,
        expected: tuple[str, ...] = (),
        tell: Callable[[str], None] = lambda _line: None,
    ) -> Loaded:
        """Ask, first every 50 ms and then less often, until every code location is loaded.

        A location with an error is asked for until the deadline too: its server may be starting.

        Args:
            deadline_s: Seconds to wait at most.
            expected: Names that must be among them.
            tell: Takes a line whenever what is waited for changes.

        Raises:
            WrongStateError: A location has an error, an expected one is not in the workspace, or there is none.
            NotReadyError: The webserver did not answer in time, or a location is still loading.
        """
        from tenacity import Retrying, retry_if_result, stop_before_delay, wait_exponential

        start = time.monotonic()
        failure: FloeError | None = None

        def look() -> Loaded | None:
            nonlocal failure
            told = str(failure)
            try:
                version, locations = self.server_info().dagster, self.locations()
                failure = self._complaint(locations, expected)
            except FloeError as error:
                failure = error
            if failure is None:
                return Loaded(version, locations)
            if str(failure) != told:
                tell(f"waiting for Dagster: {failure.what}: {_short(failure.why)}")
            return None

        found = Retrying(
            wait=wait_exponential(multiplier=FIRST_PAUSE_S, exp_base=1.5, max=LONGEST_PAUSE_S),
            stop=stop_before_delay(max(deadline_s - (time.monotonic() - start), 0)),
            retry=retry_if_result(lambda loaded: loaded is None),
            retry_error_callback=lambda _: None,
        )(look)
        if found is not None:
            return found
        if isinstance(failure, MissingToolError):
            raise NotReadyError(
                f"Dagster did not answer within {deadline_s:g} s",
                where=failure.where,
                why=failure.why,
                remedy=failure.remedy,
            )
        raise failure or NotReadyError("Dagster was never asked", where=self.url)

    def _complaint(self, locations: tuple[CodeLocation, ...], expected: tuple[str, ...]) -> FloeError | None:
        """What is wrong with a workspace; None where nothing is."""
        errors = [f"{one.name}: {_short(one.error)}" for one in locations if one.error]
        loading = [one.name for one in locations if one.is_loading]
        missing = sorted(set(expected).difference(one.name for one in locations))
        remedy = "look into the log of the code location's server, and at the webserver's workspace.yaml"
        if errors:
            what = f"{len(errors)} of {len(locations)} code locations are not loaded"
            return WrongStateError(what, where=self.url, why="".join(f"\n    {one}" for one in errors), remedy=remedy)
        if missing or not locations:
            known = ", ".join(one.name for one in locations) or "none"
            what = f"code locations are missing: {', '.join(missing)}" if missing else "the workspace is empty"
            return WrongStateError(what, where=self.url, why=f"the workspace has: {known}", remedy=remedy)
        if loading:
            what = f"code locations are still loading: {', '.join(loading)}"
            return NotReadyError(what, where=self.url, why="Dagster says LOADING", remedy=remedy)
        return None

    def _member(self, query: str, name: str, wanted: str, read: Callable[[dict[str, Any]], Read]) -> Read:
        """The field `name` of a query's data as `read` makes it, if it is of type `wanted`."""
        body = self._ask("POST", "/graphql", {"query": query})
        if body.get("errors") or not isinstance(body.get("data"), dict):
            raise self._wrong("/graphql", _messages(body.get("errors")) or "its answer has no data")
        try:
            found = body["data"][name]
            if found["__typename"] == wanted:
                return read(found)
            kind, message = found["__typename"], _short(str(found.get("message", "")))
        except untrusted.STUMBLES as error:
            raise self._wrong("/graphql", f"{name} has another shape: {untrusted.why(error)}") from error
        raise WrongStateError(
            f"Dagster answered {name} with {kind}",
            where=f"{self.url}/graphql",
            why=message,
            remedy="look into the webserver's log",
        )

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        import requests

        try:
            response = requests.request(method, self.url + path, json=body, timeout=REQUEST_S, stream=True)
            text = untrusted.body(response)
        except requests.RequestException as error:
            raise MissingToolError(
                "Dagster does not answer",
                where=self.url + path,
                why=type(error).__name__,
                remedy="see whether the webserver runs, and whether its URL is right",
            ) from error
        try:
            found = untrusted.document(text)
        except ValueError as error:
            raise self._wrong(path, f"HTTP {response.status_code}: {_short(text)}") from error
        if not isinstance(found, dict) or not (response.ok or "errors" in found):
            raise self._wrong(path, f"HTTP {response.status_code}: {_short(text)}")
        return found

    def _wrong(self, path: str, seen: str) -> WrongStateError:
        return WrongStateError(
            "the answer is not one of Dagster's webserver",
            where=self.url + path,
            why=seen,
            remedy="name the webserver's URL (port 3000 by default)",
        )


def _location(entry: dict[str, Any]) -> CodeLocation:
    seen = entry["locationOrLoadError"] or {}
    failed = seen.get("__typename") == "PythonError"
    return CodeLocation(
        name=entry["name"],
        is_loading=entry["loadStatus"] == "LOADING",
        error=_error(seen) if failed else "",
        repositories=tuple(one["name"] for one in seen.get("repositories") or ()),
    )


def _error(seen: dict[str, Any]) -> str:
    """The messages of an error and of its causes; the innermost one tells what to mend."""
    messages = [str(one["message"]).strip() for one in (seen, *seen["causes"])]
    return "; caused by ".join(message for message in messages if message) or "an error without a message"


def _messages(errors: object) -> str:
    """The sentences of GraphQL's own errors."""
    told = errors if isinstance(errors, list) else []
    return "; ".join(_short(str(one.get("message"))) for one in told if isinstance(one, dict))


def _short(text: str) -> str:
    """A message on one line."""
    return " ".join(text.split())[:SHOWN]
