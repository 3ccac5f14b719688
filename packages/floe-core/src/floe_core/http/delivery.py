"""One document to one URL: attempts with pauses between them, all inside of one deadline."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import requests
from tenacity import Retrying, retry_if_exception_type, stop_before_delay

from floe_core.http import answers
from floe_core.http.guard import guarded
from floe_core.http.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tenacity import RetryCallState

    from floe_core.errors import FloeError
    from floe_core.http.answers import Wording

FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0


class _AgainError(Exception):
    """An attempt that may be repeated.

    Attributes:
        error: What is told if it was the last.
        wait_s: What the server asked for, in seconds.
        is_over: Whether the deadline ended it.
    """

    def __init__(self, error: FloeError, *, wait_s: float = 0.0, is_over: bool = False) -> None:
        super().__init__(error.why)
        self.error = error
        self.wait_s = wait_s
        self.is_over = is_over


@dataclass(frozen=True)
class Delivery:
    """Requests to one server; no redirect is followed, and nothing is logged or traced.

    Attributes:
        url: Its URL; only what `wording` holds is ever told of it.
        timeout_s: Seconds for a connection, and for each silence.
        deadline_s: Seconds for all attempts together.
        wording: How failures are told, and by which error.
        secrets: Values that no error may hold, even where the server echoes them.
    """

    url: str = field(repr=False)
    timeout_s: float
    deadline_s: float
    wording: Wording
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def post(self, body: bytes, headers: Callable[[], Mapping[str, str]]) -> None:
        """Deliver `body`; `headers` is asked anew for each attempt, as a signature holds the time.

        Raises:
            FloeError: That of `wording`: the server refused it, or no attempt before the deadline succeeded.
        """
        end = time.monotonic() + self.deadline_s
        seen: list[str] = []

        def attempt() -> None:
            try:
                self._exchange(requests.Request("POST", self.url, headers(), data=body), end, answers.is_success)
            except _AgainError as again:
                if again.is_over and seen:
                    again.error.why += f"; before that: {seen[-1]}"
                seen.append(again.error.why)
                raise

        retrying = Retrying(
            retry=retry_if_exception_type(_AgainError),
            wait=_wait,
            stop=stop_before_delay(self.deadline_s),
            retry_error_callback=_last,
        )
        with quiet():
            retrying(attempt)

    def ask(self, accepts: Callable[[int], bool] = answers.is_success) -> int:
        """Ask once; the status, which is one that `accepts` takes.

        Raises:
            FloeError: That of `wording`: there was no such answer.
        """
        with quiet():
            try:
                return self._exchange(requests.Request("GET", self.url), time.monotonic() + self.deadline_s, accepts)
            except _AgainError as again:
                raise again.error from None

    def _exchange(self, request: requests.Request, end: float, accepts: Callable[[int], bool]) -> int:
        left = max(0.001, end - time.monotonic())
        with guarded(self.url, left) as (session, guard):
            try:
                prepared = session.prepare_request(request)
                limit = min(self.timeout_s, left)
                response = session.send(prepared, timeout=limit, allow_redirects=False, stream=True)
            except (requests.RequestException, OSError, ValueError) as error:
                raise self._lost(error, is_over=guard.expired) from None
            with response:
                if guard.expired:  # what looks like an answer may have been cut off in its headers
                    raise _AgainError(self.wording.over(), is_over=True)
                return self._judged(response, accepts)

    def _lost(self, error: Exception, *, is_over: bool) -> FloeError | _AgainError:
        if is_over:
            return _AgainError(self.wording.over(), is_over=True)
        told = self.wording.lost(error, self.timeout_s)
        passing = isinstance(error, requests.ConnectionError | requests.Timeout)
        return _AgainError(told) if passing and not isinstance(error, requests.exceptions.SSLError) else told

    def _judged(self, response: requests.Response, accepts: Callable[[int], bool]) -> int:
        status = response.status_code
        if accepts(status):
            return status
        told = self.wording.refused(status, answers.excerpt(response, self.secrets))
        if answers.is_passing(status):
            raise _AgainError(told, wait_s=answers.retry_after(response))
        raise told


def _wait(state: RetryCallState) -> float:
    """A pause that doubles, of which a random half is taken off, or what the server asked for if that is longer."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait_s if isinstance(error, _AgainError) else 0.0
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(state.attempt_number, 16))
    return max(asked, longest * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret


def _last(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _AgainError):
        tried = f"after {state.attempt_number} attempt{'s' if state.attempt_number > 1 else ''}"
        error.error.why = f"{error.error.why} ({tried})"
        raise error.error
