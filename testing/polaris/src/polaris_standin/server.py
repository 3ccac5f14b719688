"""Two ports in one process, and an end at once.

Polaris does not drain: on SIGTERM its connections are cut and the process is gone within 0.2 s. The same is
had here by leaving SIGTERM and SIGINT to the operating system: nothing is handled, nothing can hang, the
exit status is that of the signal, and the database takes it, since a transaction is in it wholly or not. Only
process 1 of a container has to end itself: Linux gives it no signal that it does not handle.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn

from polaris_standin.app import Api
from polaris_standin.health import Health
from polaris_standin.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from starlette.types import ASGIApp

    from polaris_standin.service import Service

_BACKLOG = 256
_FIRST = 1  # the process id of a container's first process


class PortTakenError(Exception):
    """An address cannot be listened on."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone; see the module's words."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        PortTakenError: The address is in use, not ours, or needs rights.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off; else every answer takes 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise PortTakenError(f"cannot listen on {host}:{port}: {error}") from error
    return listener


def serve(service: Service, api: socket.socket, management: socket.socket) -> None:
    """Serve on both sockets until a signal ends the process."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end if os.getpid() == _FIRST else signal.SIG_DFL)
    metrics = Metrics()
    servers = [
        (_server(Api(service, metrics)), api),
        (_server(Health(service.store, metrics)), management),
    ]
    threading.Thread(target=_warm_up, daemon=True).start()
    asyncio.run(_serve(servers))


def _end(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)


async def _serve(servers: list[tuple[_Server, socket.socket]]) -> None:
    await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in servers))


def _server(app: ASGIApp) -> _Server:
    config = uvicorn.Config(
        app, lifespan="off", log_level="warning", access_log=False, server_header=False, date_header=False
    )
    return _Server(config)


def _warm_up() -> None:
    """Import what the first table needs while the first requests come in."""
    import boto3
    import pyiceberg.table.update

    del boto3, pyiceberg
