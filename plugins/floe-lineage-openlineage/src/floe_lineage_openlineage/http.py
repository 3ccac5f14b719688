"""Events to a server: posted as JSON to OpenLineage's HTTP endpoint, with retries inside of one deadline.

The OpenLineage library has a transport of its own. It bounds each silence of the server and not the whole exchange,
and it reads endless answers to their end, so the project's own delivery is used.
"""

from __future__ import annotations

import gzip
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from floe_core.errors import ExitCode
from floe_core.http.answers import Wording
from floe_core.http.delivery import Delivery
from floe_core.http.urls import is_loopback, place
from floe_core.plugins import LineageError
from floe_core.spec.secrets import resolved

from floe_lineage_openlineage.urls import checked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_lineage_openlineage.plugin import HttpTransport


class HttpDelivery:
    """Posts events to the server that the configuration names."""

    def __init__(self, config: HttpTransport) -> None:
        self._config = config

    def deliver(self, event: Mapping[str, Any], text: str) -> None:
        """Post one event; server errors, too many requests and lost connections are tried again.

        Raises:
            LineageError: The server refused it, or no attempt before the deadline succeeded.
            SecretUnavailableError: A reference points to nothing.
        """
        del event
        url, key = self._url(), self._key()
        if key:
            self._refuse_to_tell(url)
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        body = text.encode()
        if self._config.compress:
            headers["Content-Encoding"], body = "gzip", gzip.compress(body)
        config = self._config
        target = f"{url.rstrip('/')}/{config.endpoint}"
        Delivery(target, config.timeout_s, config.deadline_s, self._wording(url), (key,)).post(body, lambda: headers)

    def probe(self, timeout_s: float) -> str:
        """See whether the server answers at all; a status below 500 shows that it is there.

        Raises:
            LineageError: Nothing answers, or the server fails.
        """
        url = self._url()
        asking = Delivery(url, timeout_s, timeout_s, self._wording(url))
        return f"{place(url)} answers (HTTP {asking.ask(lambda status: status < HTTPStatus.INTERNAL_SERVER_ERROR)})"

    def _key(self) -> str:
        reference = self._config.api_key
        return reference.resolve().get_secret_value() if reference else ""

    def _url(self) -> str:
        try:
            return checked(resolved(self._config.url))
        except ValueError as error:
            raise LineageError(
                "the lineage server's URL cannot be used",
                where=f"plugins.lineage_backend.config.transport.url ({self._config.url})",
                why=str(error),
                remedy="name the server, for example https://marquez.example.com",
                exit_code=ExitCode.USAGE,
            ) from None

    def _refuse_to_tell(self, url: str) -> None:
        if url.startswith("https:") or is_loopback(url) or self._config.allow_http:
            return
        raise LineageError(
            "the API key is not sent without encryption",
            where=place(url),
            why="the URL begins with http:// and leads to another machine",
            remedy="use https, or set allow_http where the network is trusted",
            exit_code=ExitCode.USAGE,
        )

    def _wording(self, url: str) -> Wording:
        return Wording(
            LineageError,
            "the lineage server did not take the event",
            where=f"{place(url)} ({self._config.endpoint})",
            credentials="set api_key to a key that this server takes",
            refusal="see the server's log; check url and endpoint",
            silence="see that the server runs and that url names it",
        )
