"""One webserver: a request, and the member of an answer's union that was wanted.

Contract: `GET /server_info`, and `POST /graphql` with `{"query", "variables"}`. GraphQL's own errors come as
`{"errors": [{"message"}]}`; Dagster's come as another member of the field's union, with a `message`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from floe_core.errors import MissingToolError, WrongStateError

from floe_ops.clients import untrusted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Read = TypeVar("Read")

CONNECT_S, ANSWER_S = 5.0, 40.0  # a launch asks the code server for its plan, on a machine that is busy with runs
SHOWN = 2000  # characters of an answer that an error repeats


class Webserver:
    """Asks one webserver.

    Args:
        url: Its base URL, for example `http://127.0.0.1:3000`.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, path: str) -> dict[str, Any]:
        """The JSON object at `path`.

        Raises:
            MissingToolError: Nothing answers.
            WrongStateError: Something else answers.
        """
        return self._ask("GET", path)

    def member(
        self,
        query: str,
        name: str,
        wanted: str,
        read: Callable[[dict[str, Any]], Read],
        variables: Mapping[str, object] | None = None,
    ) -> Read:
        """The field `name` of a query's data as `read` makes it, if it is of type `wanted`.

        Raises:
            MissingToolError: Nothing answers.
            WrongStateError: The answer has another shape, or is one of Dagster's errors.
        """

        def pick(data: dict[str, Any]) -> Read:
            found = data[name]
            if found["__typename"] != wanted:
                self._refused(name, found)
            return read(found)

        return self.data(query, name, pick, variables)

    def data(
        self,
        query: str,
        name: str,
        read: Callable[[dict[str, Any]], Read],
        variables: Mapping[str, object] | None = None,
    ) -> Read:
        """A query's data as `read` makes it; `name` is what an error calls it. Raises as `member`."""
        body = self._ask("POST", "/graphql", {"query": query, "variables": variables or {}})
        if body.get("errors") or not isinstance(body.get("data"), dict):
            raise self.wrong("/graphql", messages(body.get("errors")) or "its answer has no data")
        try:
            return read(body["data"])
        except untrusted.STUMBLES as error:
            raise self.wrong("/graphql", f"{name} has another shape: {untrusted.why(error)}") from error

    def wrong(self, path: str, seen: str) -> WrongStateError:
        """What is raised where something other than a webserver of Dagster answers."""
        return WrongStateError(
            "the answer is not one of Dagster's webserver",
            where=self.url + path,
            why=seen,
            remedy="name the webserver's URL (port 3000 by default)",
        )

    def _refused(self, name: str, found: dict[str, Any]) -> NoReturn:
        told = [str(found.get("message") or ""), messages(found.get("errors"))]
        raise WrongStateError(
            f"Dagster answered {name} with {found['__typename']}",
            where=f"{self.url}/graphql",
            why=short("; ".join(one for one in told if one)),
            remedy="look into the webserver's log",
        )

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        import requests

        try:
            response = requests.request(method, self.url + path, json=body, timeout=(CONNECT_S, ANSWER_S), stream=True)
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
            raise self.wrong(path, f"HTTP {response.status_code}: {short(text)}") from error
        if not isinstance(found, dict) or not (response.ok or "errors" in found):
            raise self.wrong(path, f"HTTP {response.status_code}: {short(text)}")
        return found


def told(error: dict[str, Any] | None) -> str:
    """The messages of an error and of its causes; the innermost one tells what to mend. Empty for none."""
    if error is None:
        return ""
    said = [str(one["message"]).strip() for one in (error, *error["causes"])]
    plain = (message.partition("Stack Trace:")[0].strip() for message in said)  # a message may quote a child's
    return "; caused by ".join(message for message in plain if message) or "an error without a message"


def messages(errors: object) -> str:
    """The sentences of a list of errors."""
    listed = errors if isinstance(errors, list) else []
    return "; ".join(short(str(one.get("message"))) for one in listed if isinstance(one, dict))


def short(text: str) -> str:
    """A message on one line."""
    return " ".join(text.split())[:SHOWN]
