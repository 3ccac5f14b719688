"""Stands in for Cube's API, its refresh worker and its store where their images cannot be had.

It proves that pods are scheduled, started, probed and ended, and nothing about Cube: it answers probes and accepts
connections. It says so in its log and in every answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

API_PORT = int(os.environ.get("PORT", "4000"))
STATUS_PORT = 3031  # of the store
OPEN_PORTS = (3030, 3306, 9999)
PROBES = {"/readyz", "/livez"}
SAYS = "stand-in for Cube: answers probes only, no query is run"
LIMIT_S = 5.0


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one HTTP request: 200 for a probe, 501 for all else."""
    try:
        first = (await asyncio.wait_for(reader.readline(), LIMIT_S)).decode("latin-1").split()
        path = first[1].partition("?")[0] if len(first) > 1 else ""
        status = "200 OK" if path in PROBES else "501 Not Implemented"
        body = json.dumps({"health": "HEALTH", "says": SAYS} if path in PROBES else {"error": SAYS}).encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        await writer.drain()
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()


async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept a connection and close it."""
    writer.close()


async def main() -> None:
    """Serve until a signal comes."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    host = "0.0.0.0"  # noqa: S104 # nosec B104 - a pod's own address
    servers = [await asyncio.start_server(answer, host, port) for port in (API_PORT, STATUS_PORT)]
    servers += [await asyncio.start_server(accept, host, port) for port in OPEN_PORTS]
    sys.stdout.write(f"{SAYS}; ports {', '.join(map(str, (API_PORT, STATUS_PORT, *OPEN_PORTS)))}\n")
    sys.stdout.flush()
    await ended.wait()
    for server in servers:
        server.close()


if __name__ == "__main__":
    asyncio.run(main())
