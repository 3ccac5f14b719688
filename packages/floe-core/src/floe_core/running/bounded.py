"""Calls of foreign code that must not hold up a build for longer than they are given."""

from __future__ import annotations

import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Generic, TypeVar

from floe_core.errors import FloeError, NotReadyError

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")


class _Call(Generic[R]):
    """One call, its answer or what it raised."""

    def __init__(self, body: Callable[[], R]) -> None:
        self._body = body
        self.answers: list[R] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.answers.append(self._body())
        except BaseException as error:  # noqa: BLE001 - a plugin is foreign code and may even exit; the caller is told
            self.error = error


def bounded(what: str, body: Callable[[], R], timeout_s: float) -> R:
    """The answer of `body`, which runs in a thread that nobody waits for after `timeout_s` seconds.

    Args:
        what: What is done, as a clause for the error.
        body: The call.
        timeout_s: Its limit in seconds.

    Raises:
        NotReadyError: It did not end in time.
        FloeError: As `body` raises; any other exception is told as one.
    """
    call = _Call(body)
    # In the caller's context, so that what the plugin traces belongs to the caller's span.
    thread = threading.Thread(target=copy_context().run, args=(call.run,), name=what, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if thread.is_alive():
        raise NotReadyError(
            f"{what} did not end", why=f"it took more than {timeout_s:g} s", remedy="see what it waits for"
        )
    if call.error is None:
        return call.answers[0]
    if isinstance(call.error, FloeError):
        raise call.error
    # The words of a foreign exception may quote a secret, so only its kind is told.
    why = f"it raised {type(call.error).__name__}"
    raise FloeError(f"{what} failed", why=why, remedy="report it to the plugin's authors") from call.error
