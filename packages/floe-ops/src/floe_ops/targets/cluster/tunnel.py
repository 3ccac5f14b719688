"""One TCP connection to a port of a pod, through the API server.

Contract: the subresource `portforward` of a Pod over a WebSocket with the protocol `v4.channel.k8s.io`
(k8s.io/kubelet, streaming/portforward): every message begins with the number of its channel, 0 for data and 1 for
errors, and the first message of either channel holds the port's number only.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from floe_ops.clients.kubernetes import Kubernetes

PROTOCOL = "v4.channel.k8s.io"
DATA, ERRORS = b"\x00", 1
CHUNK = 64 * 1024
OPEN_S, LINGER_S = 5.0, 1.0
UNREACHED = ("connection refused", "failed to dial", "not running")  # the kubelet's words where nobody listened


class BrokenTunnelError(Exception):
    """The API server or the pod's node did not make the connection; `again` when nothing reached the pod."""

    def __init__(self, why: str, *, again: bool = False) -> None:
        super().__init__(why)
        self.again = again


@dataclass(frozen=True)
class Dialer:
    """Opens connections to the pods of one namespace.

    Attributes:
        cluster: Says where the API server is and how to sign in.
        namespace: Where the pods are.
        session: Makes the connections.
        tls: Trusts the API server.
    """

    cluster: Kubernetes
    namespace: str
    session: aiohttp.ClientSession
    tls: ssl.SSLContext | bool

    @classmethod
    def make(cls, cluster: Kubernetes, namespace: str, session: aiohttp.ClientSession) -> Dialer:
        """One for this cluster; trusts what its kubeconfig trusts, and shows the certificate that it holds."""
        settings = cluster.api.configuration
        tls: ssl.SSLContext | bool = False
        if str(settings.host).startswith("https"):
            tls = ssl.create_default_context(cafile=settings.ssl_ca_cert)
            if not settings.verify_ssl:
                tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
            if settings.cert_file:
                tls.load_cert_chain(settings.cert_file, settings.key_file)
        return cls(cluster, namespace, session, tls)

    async def dial(self, pod: str, port: int) -> aiohttp.ClientWebSocketResponse:
        """A connection to `port` of `pod`.

        Raises:
            BrokenTunnelError: There is none to be had.
        """
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/portforward?ports={port}"
        try:
            async with asyncio.timeout(OPEN_S):
                return await self.session.ws_connect(
                    self.cluster.url + path,
                    protocols=(PROTOCOL,),
                    headers=self._signed(),
                    ssl=self.tls,
                    max_msg_size=0,
                    autoping=True,
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise BrokenTunnelError(f"{pod}:{port}: {str(error) or type(error).__name__}", again=True) from error

    def _signed(self) -> dict[str, str]:
        """The token of the kubeconfig's user, renewed by the library where a plugin gives it."""
        token = self.cluster.api.configuration.get_api_key_with_prefix("authorization")
        return {"Authorization": token} if token else {}


async def carry(
    socket: aiohttp.ClientWebSocketResponse, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Carry bytes both ways until either side ends.

    Args:
        socket: To the pod.
        first: What the local side has said already.
        reader: The local side.
        writer: Likewise.

    Raises:
        BrokenTunnelError: The pod's node could not reach the port.
    """
    sending = asyncio.create_task(_send(socket, first, reader))
    receiving = asyncio.create_task(_receive(socket, writer))
    try:
        await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
        if sending.done() and not receiving.done() and sending.exception() is None:
            # The local side has said its last word; the answer to it may still be on its way.
            await asyncio.wait({receiving}, timeout=LINGER_S)
    finally:
        sending.cancel()
        await socket.close()
        results = await asyncio.gather(sending, receiving, return_exceptions=True)
    for result in results:
        if isinstance(result, BrokenTunnelError):
            raise result


async def _send(socket: aiohttp.ClientWebSocketResponse, first: bytes, reader: asyncio.StreamReader) -> None:
    await socket.send_bytes(DATA + first)
    while chunk := await reader.read(CHUNK):
        await socket.send_bytes(DATA + chunk)


async def _receive(socket: aiohttp.ClientWebSocketResponse, writer: asyncio.StreamWriter) -> None:
    opened: set[int] = set()
    async for message in socket:
        data: Any = message.data
        if message.type is not aiohttp.WSMsgType.BINARY or not data:
            continue
        channel, payload = data[0], data[1:]
        if channel not in opened:
            opened.add(channel)  # its first message holds the port
        elif channel == ERRORS:
            why = payload.decode("utf-8", "replace")
            raise BrokenTunnelError(why, again=any(word in why for word in UNREACHED))
        else:
            writer.write(payload)
            await writer.drain()
