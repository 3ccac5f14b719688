"""A bound in time for a whole request: the library's timeouts bound each silence, not all of them together.

Every connection that a session opens is known to its guard. When the time is up the guard shuts their sockets, and
whatever waits for them ends at once: a receiver that sends a byte now and then cannot hold anybody.
"""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import PoolManager, ProxyManager


class Guard:
    """Knows the open connections of a session.

    Attributes:
        expired: Whether the time was up.
    """

    def __init__(self) -> None:
        self.expired = False
        self._connections: list[HTTPConnection] = []

    def watch(self, connection: HTTPConnection) -> None:
        """Shut this one too when the time is up."""
        self._connections.append(connection)

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Bound the block: after `seconds` the sockets of its connections are shut."""
        timer = threading.Timer(seconds, self._shut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def _shut(self) -> None:
        self.expired = True
        for connection in list(self._connections):
            try:
                if connection.sock is not None:
                    # Not the method of SSLSocket, which is not made for another thread.
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
            except OSError:
                continue  # closed meanwhile


class GuardedAdapter(HTTPAdapter):
    """Opens connections that a guard knows."""

    def __init__(self, guard: Guard) -> None:
        self._pools = _pools(guard)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self._guarded(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> ProxyManager:
        """Make the pools of connections through a proxy."""
        manager: ProxyManager = super().proxy_manager_for(*args, **kwargs)
        self._guarded(manager)
        return manager

    def _guarded(self, manager: PoolManager) -> None:
        manager.pool_classes_by_scheme = self._pools


def _pools(guard: Guard) -> dict[str, type[HTTPConnectionPool]]:
    class Connection(HTTPConnection):
        def connect(self) -> None:
            guard.watch(self)
            super().connect()

    class SecureConnection(HTTPSConnection):
        def connect(self) -> None:
            guard.watch(self)
            super().connect()

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}
