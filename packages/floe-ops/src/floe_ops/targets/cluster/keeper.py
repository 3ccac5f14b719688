"""Keep the forwards of a release: `python -m floe_ops.targets.cluster.keeper STATE`.

One process listens on a loopback port for each endpoint and connects every caller to a pod that serves it at that
moment, so a pod that was replaced is no broken forward: the next connection goes to its successor. It ends on
SIGTERM, when the platform has no owner left, and then also lets a cluster go that was started for them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from filelock import FileLock, Timeout
from floe_core.errors import FloeError

from floe_ops.clients.kubernetes import Kubernetes
from floe_ops.targets import lease
from floe_ops.targets.cluster import endpoints, forwards, providers, record
from floe_ops.targets.cluster.identity import identity
from floe_ops.targets.cluster.layout import Layout
from floe_ops.targets.cluster.tunnel import CHUNK, BrokenTunnelError, Dialer, carry

if TYPE_CHECKING:
    from floe_ops.clients.kubernetes_objects import Pod
    from floe_ops.targets.cluster.endpoints import Endpoint

HOST = "127.0.0.1"
PATIENCE_S = 3.0  # how long a caller is kept while no pod serves
RETRY_S = 0.1
FRESH_S = 0.5  # how long a look at the pods counts
OWNERS_EVERY_S = 0.5


class Keeper:
    """The forwards of one release.

    Args:
        cluster: Where the pods are.
        dialer: Opens connections to them.
    """

    def __init__(self, cluster: Kubernetes, dialer: Dialer) -> None:
        self._cluster = cluster
        self._dialer = dialer
        self._pods: dict[str, tuple[float, list[Pod]]] = {}
        self._looking = asyncio.Lock()

    async def serve(self, endpoint: Endpoint, port: int) -> asyncio.Server:
        """Listen on `port` for callers of `endpoint`."""

        async def called(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await self._connect(endpoint, reader, writer)
            except BrokenTunnelError as error:
                _log(f"{endpoint.name}: {error}")
                self._pods.pop(endpoint.selector, None)
            except (ConnectionError, asyncio.CancelledError):
                pass  # the caller went away, or the keeper ends
            finally:
                writer.close()

        return await asyncio.start_server(called, HOST, port)

    async def _connect(self, endpoint: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect one caller, who speaks first in every protocol that is forwarded.

        What it said first is said to another pod where none was reached.
        """
        first = await reader.read(CHUNK)
        if not first:
            return
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                pod = await self._pod(endpoint)
                socket = await self._dialer.dial(pod, endpoint.port)
                await carry(socket, first, reader, writer)
            except BrokenTunnelError as error:
                if not error.again or time.monotonic() > deadline or reader.at_eof():
                    raise
                self._pods.pop(endpoint.selector, None)
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _pod(self, endpoint: Endpoint) -> str:
        """A pod that serves, else one that runs."""
        async with self._looking:
            seen, pods = self._pods.get(endpoint.selector, (0.0, []))
            if time.monotonic() - seen > FRESH_S:
                try:
                    pods = await asyncio.to_thread(self._cluster.pods, self._dialer.namespace, endpoint.selector)
                except FloeError as error:
                    raise BrokenTunnelError(f"{error.what}: {error.why}", again=True) from error
                self._pods[endpoint.selector] = (time.monotonic(), pods)
        running = [pod for pod in pods if pod.phase == "Running" and not pod.ending]
        for pod in sorted(running, key=lambda each: not each.ready):
            return pod.name
        raise BrokenTunnelError(f"no pod of {endpoint.service} runs", again=True)


async def keep(layout: Layout, ports: dict[str, int]) -> None:
    """Forward until SIGTERM, or until nobody owns the platform.

    Raises:
        FloeError: The release cannot be looked at.
        OSError: A port was taken.
    """
    found = record.load(layout)
    if found is None:
        return
    cluster, chosen = Kubernetes(found.access), found.settings
    known = await asyncio.to_thread(endpoints.find, cluster, chosen)
    over = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, over.set)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        keeper = Keeper(cluster, Dialer.make(cluster, chosen.namespace, session))
        servers = [await keeper.serve(known[name], ports[name]) for name in ports]
        started = lease.started(os.getpid()) or 0.0
        forwards.Forwards(os.getpid(), started, ports, identity(found, cluster)).save(layout)
        while not over.is_set() and not await asyncio.to_thread(_ownerless, layout):
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), OWNERS_EVERY_S)
        for server in servers:
            server.close()


def _ownerless(layout: Layout) -> bool:
    """Whether nobody owns the platform; then what was started for the owners is let go, once nobody joins."""
    if lease.living(layout.owners):
        return False
    try:
        with FileLock(layout.lock, timeout=0):
            if lease.living(layout.owners):
                return False
            found = record.load(layout)
            if found and found.ends_with_owners:
                providers.named(found.provider, layout, _log).let_go(set())
            return True
    except Timeout:
        return False  # somebody brings it up, or ends it


def _log(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)  # noqa: T201 - standard output is its log


if __name__ == "__main__":
    try:
        asyncio.run(keep(Layout(Path(sys.argv[1])), json.loads(sys.argv[2])))
    except (FloeError, OSError) as error:
        _log(str(error))
        sys.exit(1)
