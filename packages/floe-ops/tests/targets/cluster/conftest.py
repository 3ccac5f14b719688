"""An API server that knows pods, Services and how to forward to ports of this machine, and nothing else."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from aiohttp import WSMsgType, web
from floe_ops.clients.kubernetes import Access, Kubernetes
from floe_ops.targets.cluster.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LABELS = {"app.kubernetes.io/component": "polaris"}


@dataclass
class Api:
    """What it knows.

    Attributes:
        url: Where it answers.
        pods: The port on this machine that each pod's one port is, by name; 0 where nobody listens.
        ready: Which of them are ready.
        dialled: Every pod that was forwarded to, in order.
    """

    url: str = ""
    pods: dict[str, int] = field(default_factory=dict)
    ready: set[str] = field(default_factory=set)
    dialled: list[str] = field(default_factory=list)

    def pod(self, name: str) -> dict[str, Any]:
        ready = "True" if name in self.ready else "False"
        return {
            "metadata": {"name": name, "labels": LABELS},
            "spec": {"containers": [{"name": "c", "image": "localhost/polaris-standin:1"}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]},
        }

    async def list_pods(self, _request: web.Request) -> web.Response:
        return web.json_response({"items": [self.pod(name) for name in self.pods]})

    async def list_services(self, _request: web.Request) -> web.Response:
        ports = [{"name": "polaris", "port": 8181, "targetPort": 8181}, {"name": "unknown", "port": 1}]
        spec = {"selector": LABELS, "ports": ports}
        return web.json_response({"items": [{"metadata": {"name": "floe-polaris"}, "spec": spec}]})

    async def forward(self, request: web.Request) -> web.WebSocketResponse:
        """As the kubelet does it: two channels, each begun by the port's number."""
        name, port = request.match_info["pod"], int(request.query["ports"])
        self.dialled.append(name)
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",), max_msg_size=0)
        await socket.prepare(request)
        for channel in (b"\x00", b"\x01"):
            await socket.send_bytes(channel + port.to_bytes(2, "little"))
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.pods.get(name) or 1)
        except OSError:
            await socket.send_bytes(b"\x01failed to connect: connection refused")
            await socket.close()
            return socket
        back = asyncio.create_task(self._back(reader, socket))
        async for message in socket:
            if message.type is WSMsgType.BINARY and message.data[0] == 0:
                writer.write(message.data[1:])
        writer.close()
        back.cancel()
        return socket

    async def _back(self, reader: asyncio.StreamReader, socket: web.WebSocketResponse) -> None:
        while chunk := await reader.read(65536):
            await socket.send_bytes(b"\x00" + chunk)
        await socket.close()


@pytest.fixture
def api() -> Iterator[Api]:
    """The API server, in a thread of its own."""
    known, loop, started = Api(), asyncio.new_event_loop(), threading.Event()
    app = web.Application()
    app.router.add_get("/api/v1/namespaces/{namespace}/pods", known.list_pods)
    app.router.add_get("/api/v1/namespaces/{namespace}/services", known.list_services)
    app.router.add_get("/api/v1/namespaces/{namespace}/pods/{pod}/portforward", known.forward)
    runner = web.AppRunner(app, shutdown_timeout=0.1)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        known.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()

    def run() -> None:
        loop.run_until_complete(start())
        loop.run_forever()

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(10)
    yield known
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / ".floe")
    made.folder.mkdir(parents=True)
    return made


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a kubeconfig with one context, `floe`, for the server at a URL."""

    def write(url: str) -> Path:
        path = tmp_path / "kubeconfig"
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": url}}],
            "users": [{"name": "u", "user": {"token": "of-the-test"}}],  # nosec B105 - of a test
            "contexts": [{"name": "floe", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "floe",
        }
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return path

    return write


@pytest.fixture
def cluster(api: Api, kubeconfig: Callable[[str], Path]) -> Kubernetes:
    return Kubernetes(Access(kubeconfig(api.url), "floe"))
