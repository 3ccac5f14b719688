"""Keeps an issuer's keys: fetched once for all threads, followed when they change, kept while the issuer is silent."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from floe_core.plugins.identity import IdentityError, IdentityTimeoutError

from floe_identity_oidc.keys import KeySet, fetch

if TYPE_CHECKING:
    from floe_identity_oidc.config import OidcConfig

RETRY_S = 1.0
"""At least so long lies between two fetches as long as there are no keys at all."""

Flight: TypeAlias = "Future[KeySet]"


@dataclass(frozen=True)
class Last:
    """The last fetch: its `time.monotonic()` moment, which is its end where it failed, and its error."""

    at: float
    error: IdentityError | None


class KeyStore:
    """The keys of one issuer, for any number of threads.

    A fetch runs in a thread of its own and everybody waits for the same one, each until its own deadline: so a name
    server that hangs holds nobody longer than that, and the issuer is never asked twice at a time.
    """

    def __init__(self, issuer: str, config: OidcConfig) -> None:
        self.issuer = issuer
        self._config = config
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._flight: Flight | None = None
        self._last: Last | None = None

    def current(self, deadline: float) -> KeySet:
        """Fresh keys, or the last ones while the issuer does not answer and they are not too old.

        Raises:
            IdentityError: There are none, and none can be had.
        """
        with self._lock:
            known = self._keys
            if known is not None and _age(known) < self._config.keys_fresh_s:
                return known
            flight = self._depart()
        try:
            return self._arrive(flight, deadline)
        except IdentityError:
            if known is not None and _age(known) < self._config.keys_kept_s:
                return known
            raise

    def newer(self, than: KeySet, deadline: float) -> KeySet:
        """Keys fetched after `than`, for a token whose key is not among those; `than` itself if it is too early to ask.

        Raises:
            IdentityError: The issuer was asked and did not answer: the token cannot be judged.
        """
        with self._lock:
            if self._keys is not None and self._keys is not than:
                return self._keys
            flight = self._depart()
            if flight is None and self._last is not None and self._last.error is None:
                return than
        return self._arrive(flight, deadline)

    def fetch_now(self, timeout_s: float) -> KeySet:
        """The keys asked for now, however young those at hand are.

        Raises:
            IdentityError: They cannot be had within `timeout_s` seconds.
        """
        with self._lock:
            flight = self._depart(pause_s=0.0)
        return self._arrive(flight, time.monotonic() + timeout_s)

    def held_s(self) -> float:
        """For how many seconds the keys at hand still count if the issuer stays silent; 0 without any."""
        with self._lock:
            return 0.0 if self._keys is None else max(self._config.keys_kept_s - _age(self._keys), 0.0)

    def _depart(self, pause_s: float | None = None) -> Flight | None:
        """The fetch under way, or a new one; None where it is too early for one. Called with the lock held."""
        if self._flight is not None:
            return self._flight
        if pause_s is None:
            every_s = self._config.fetch_every_s
            pause_s = every_s if self._keys is not None else min(every_s, RETRY_S)
        if self._last is not None and time.monotonic() - self._last.at < pause_s:
            return None
        flight: Flight = Future()
        threading.Thread(target=self._fly, args=(flight,), name="oidc-keys", daemon=True).start()
        self._flight = flight  # after the start, which may fail: nobody is to wait for a fetch that never began
        return flight

    def _fly(self, flight: Flight) -> None:
        now = time.monotonic()
        try:
            keys = fetch(self.issuer, now, now + self._config.timeout_s)
        except BaseException as error:  # noqa: BLE001 - it is raised again in the threads that wait
            self._land(error if isinstance(error, IdentityError) else None)
            flight.set_exception(error)
        else:
            self._land(None, keys)
            flight.set_result(keys)

    def _land(self, error: IdentityError | None, keys: KeySet | None = None) -> None:
        with self._lock:
            self._flight = None
            self._last = Last(time.monotonic() if keys is None else keys.fetched_at, error)
            if keys is not None:
                self._keys = keys

    def _arrive(self, flight: Flight | None, deadline: float) -> KeySet:
        """What a fetch brings; without one, the error of the last."""
        if flight is None:
            raise self._again()
        try:
            return flight.result(max(deadline - time.monotonic(), 0.0))
        except TimeoutError:
            raise IdentityTimeoutError(
                "the issuer does not answer in time",
                where=self.issuer,
                why="its keys did not come before the time was over",
                remedy="try again shortly, or raise `timeout_s`",
            ) from None

    def _again(self) -> IdentityError:
        """The error of the last fetch, for those who come too soon after it."""
        with self._lock:
            last = self._last
        if last is None or last.error is None:
            return IdentityError("the keys of the issuer cannot be told", where=self.issuer, why="the last fetch broke")
        ago = f"{last.error.why}, {time.monotonic() - last.at:.1f} s ago"
        return type(last.error)(last.error.what, where=last.error.where, why=ago, remedy=last.error.remedy)


def _age(keys: KeySet) -> float:
    return time.monotonic() - keys.fetched_at
