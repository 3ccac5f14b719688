"""A bound in time for a whole exchange: the library's timeouts bound each silence, not all of them together.

A server that sends a byte of its headers or its body now and then could hold a caller for hours. So every socket that
a session opens is known to its guard, from before its TLS handshake, and the guard shuts it when the time is up. What
no guard bounds is the resolver of names, which has limits of its own.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from floe_core.http.urls import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import PoolManager, ProxyManager

CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@contextmanager
def guarded(url: str, seconds: float) -> Iterator[tuple[requests.Session, Guard]]:
    """A session for one exchange with `url`, whose sockets are shut after `seconds`.

    Of the environment only proxies count (none for this machine itself) and bundles of certificates: a `.netrc` would
    add credentials that nobody configured.
    """
    guard = Guard()
    with guard.limit(seconds), requests.Session() as session:
        session.trust_env = False
        session.verify = next((os.environ[name] for name in CERTIFICATES if os.environ.get(name)), True)
        if not is_loopback(url):
            session.proxies.update(get_environ_proxies(url))
        for scheme in ("https://", "http://"):
            session.mount(scheme, _GuardedAdapter(guard))
        yield session, guard


class Guard:
    """Knows the sockets of a session.

    Attributes:
        expired: Whether the time was up.
    """

    def __init__(self) -> None:
        self.expired = False
        self._lock = threading.Lock()
        self._held: list[socket.socket] = []

    def watch(self, connected: socket.socket) -> None:
        """Shut this one too when the time is up; at once where it is."""
        # A second handle on the connection: TLS takes the first one over, and its number may be given away again.
        held = connected.dup()
        with self._lock:
            self._held.append(held)
            if self.expired:
                _shut(held)

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Bound the block."""
        timer = threading.Timer(max(seconds, 0.0), self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            for held in self._held:
                held.close()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            for held in self._held:
                _shut(held)


def _shut(held: socket.socket) -> None:
    with suppress(OSError):  # the other side has closed it meanwhile
        held.shutdown(socket.SHUT_RDWR)


class _GuardedAdapter(HTTPAdapter):
    """Opens connections that a guard knows."""

    def __init__(self, guard: Guard) -> None:
        self._pools = _pools(guard)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._guarded(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(*args, **kwargs)
        self._guarded(manager)
        return manager

    def _guarded(self, manager: PoolManager) -> None:
        manager.pool_classes_by_scheme = self._pools


def _pools(guard: Guard) -> dict[str, type[HTTPConnectionPool]]:
    class Connection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            connected = super()._new_conn()
            guard.watch(connected)
            return connected

    class SecureConnection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            connected = super()._new_conn()
            guard.watch(connected)
            return connected

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}
