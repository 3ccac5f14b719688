"""The stand-in for Cube, run as a pod runs it: as a program of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests
from floe_ops import project
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = project.root() / "packages/floe-ops/src/floe_ops/images/content/cube_standin.py"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def served() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    port = free_port()
    with subprocess.Popen(
        [sys.executable, str(PROGRAM)], env={"PORT": str(port)}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()


def test_it_answers_probes_and_says_what_it_is_not(served: tuple[str, subprocess.Popen[str]]) -> None:
    url, process = served
    waiting = Retrying(
        retry=retry_if_exception_type(requests.ConnectionError),
        wait=wait_exponential(multiplier=0.05, max=0.5),
        stop=stop_after_delay(10),
        reraise=True,
    )
    ready = waiting(requests.get, f"{url}/readyz", timeout=5)
    assert ready.status_code == 200
    assert "stand-in" in ready.json()["says"]
    assert requests.get(f"{url}/livez?x=1", timeout=5).status_code == 200
    refused = requests.post(f"{url}/cubejs-api/v1/load", json={}, timeout=5)
    assert refused.status_code == 501
    assert "no query" in json.loads(refused.text)["error"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert process.stdout is not None
    assert "stand-in for Cube" in process.stdout.read()
