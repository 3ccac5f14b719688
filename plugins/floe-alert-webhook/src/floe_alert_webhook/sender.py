"""One JSON document to one URL: attempts with pauses between them, all inside of one deadline."""

from __future__ import annotations

import os
import random
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

import requests
from requests.utils import get_environ_proxies
from tenacity import Retrying, retry_if_exception_type, stop_before_delay

from floe_alert_webhook import answers
from floe_alert_webhook.guard import Guard, GuardedAdapter
from floe_alert_webhook.quiet import quiet
from floe_alert_webhook.urls import is_loopback, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from floe_core.plugins import AlertDeliveryError
    from tenacity import RetryCallState

FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 5.0
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


class _AgainError(Exception):
    """An attempt that may be repeated.

    Attributes:
        error: What is told if it was the last.
        wait_s: What the receiver asked for; None when it did not.
    """

    def __init__(self, error: AlertDeliveryError, wait_s: float | None = None) -> None:
        super().__init__(error.why)
        self.error = error
        self.wait_s = wait_s


@dataclass(frozen=True)
class Sender:
    """Posts to one receiver.

    Attributes:
        url: Its URL; only its host is ever told.
        timeout_s: Seconds for a connection, and for each silence.
        deadline_s: Seconds for all attempts together.
        secrets: Values that no error may hold.
    """

    url: str = field(repr=False)
    timeout_s: float
    deadline_s: float
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def post(self, body: bytes, headers: Callable[[], Mapping[str, str]]) -> None:
        """Deliver `body`; `headers` is asked anew for each attempt, as a signature holds the time.

        Raises:
            AlertDeliveryError: The receiver refused it, or no attempt before the deadline succeeded.
        """
        end = time.monotonic() + self.deadline_s
        retrying = Retrying(
            retry=retry_if_exception_type(_AgainError),
            wait=_wait,
            stop=stop_before_delay(self.deadline_s),
            retry_error_callback=_last,
        )
        with quiet(), self._session() as (session, guard), guard.limit(self.deadline_s):
            seen: list[str] = []

            def attempt() -> None:
                try:
                    self._exchange(session, guard, requests.Request("POST", self.url, headers(), data=body), end)
                except _AgainError as again:
                    if guard.expired and seen:
                        again.error.why += f"; before that: {seen[-1]}"
                    seen.append(again.error.why)
                    raise

            retrying(attempt)

    def get(self) -> None:
        """Ask once; any success will do.

        Raises:
            AlertDeliveryError: There was none.
        """
        end = time.monotonic() + self.deadline_s
        with quiet(), self._session() as (session, guard), guard.limit(self.deadline_s):
            try:
                self._exchange(session, guard, requests.Request("GET", self.url), end)
            except _AgainError as again:
                raise again.error from None

    def _exchange(self, session: requests.Session, guard: Guard, request: requests.Request, end: float) -> None:
        left = max(0.001, min(self.timeout_s, end - time.monotonic()))
        try:
            prepared = session.prepare_request(request)
            response = session.send(prepared, timeout=left, allow_redirects=False, stream=True)
        except (requests.ConnectionError, requests.Timeout) as error:
            told = answers.lost(place(self.url), error, timeout_s=self.timeout_s, expired=guard.expired)
            if isinstance(error, requests.exceptions.SSLError):
                raise told from None
            raise _AgainError(told) from None
        except (requests.RequestException, OSError, ValueError) as error:
            raise answers.lost(place(self.url), error, timeout_s=self.timeout_s, expired=guard.expired) from None
        with response:
            if guard.expired:  # what looks like an answer may have been cut off in its headers
                cut = requests.Timeout()
                raise _AgainError(answers.lost(place(self.url), cut, timeout_s=self.timeout_s, expired=True))
            if HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
                return
            told = answers.refused(place(self.url), response, answers.excerpt(response, self.secrets))
            if answers.is_passing(response.status_code):
                raise _AgainError(told, answers.retry_after(response))
            raise told

    @contextmanager
    def _session(self) -> Iterator[tuple[requests.Session, Guard]]:
        guard = Guard()
        with requests.Session() as session:
            session.trust_env = False  # .netrc would add credentials that nobody configured
            session.verify = next((os.environ[name] for name in CERTIFICATES if os.environ.get(name)), True)
            if not is_loopback(self.url):
                session.proxies.update(get_environ_proxies(self.url))
            session.mount("https://", GuardedAdapter(guard))
            session.mount("http://", GuardedAdapter(guard))
            yield session, guard


def _wait(state: RetryCallState) -> float:
    """What the receiver asked for, else a pause that doubles, of which a random half is taken off."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_s if isinstance(error, _AgainError) else None
    if asked is not None:
        return asked
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(state.attempt_number, 16))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret


def _last(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _AgainError):
        tried = f"after {state.attempt_number} attempt{'s' if state.attempt_number > 1 else ''}"
        error.error.why = f"{error.error.why} ({tried})"
        raise error.error
