from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from floe_core.errors import ExitCode
from floe_core.plugins import LineageError
from floe_core.spec.secrets import SecretRef
from floe_lineage_openlineage.http import HttpDelivery
from floe_lineage_openlineage.plugin import HttpTransport

KEY = "k3y-that-nobody-may-see"
HANG_S = 20  # far beyond every limit below: tells a hang from a limit


def delivery(url: str, **config: Any) -> HttpDelivery:
    limits = {"timeout_s": 1.0, "deadline_s": 5.0}
    return HttpDelivery(HttpTransport.model_validate({"type": "http", "url": url, **limits, **config}))


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> SecretRef:
    monkeypatch.setenv("LINEAGE_KEY", KEY)
    return SecretRef(env="LINEAGE_KEY")


@pytest.mark.parametrize("compress", [False, True])
def test_an_event_arrives_as_it_is(server: Any, event: dict[str, Any], key: SecretRef, compress: bool) -> None:
    delivery(f"{server.url}/base", api_key=key, compress=compress).deliver(event, json.dumps(event))
    (request,) = server.requests
    assert request.json == event
    assert request.path == "/base/api/v1/lineage"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers.get("Content-Encoding") == ("gzip" if compress else None)


@pytest.mark.parametrize("status", [429, 503])
def test_a_passing_failure_is_tried_again(server: Any, answers: Any, event: dict[str, Any], status: int) -> None:
    server.script = [answers(status), answers(status, Retry_After="0"), answers(201)]
    delivery(server.url).deliver(event, json.dumps(event))
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 501])
def test_a_refusal_is_final(server: Any, answers: Any, event: dict[str, Any], status: int, key: SecretRef) -> None:
    server.script = [answers(status, f"no\x1b[31m run with {KEY}\n<b>".encode() + b"y" * 5000)]
    with pytest.raises(LineageError, match=f"HTTP {status}") as caught:
        delivery(server.url, api_key=key).deliver(event, json.dumps(event))
    assert len(server.requests) == 1
    assert KEY not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 800
    expected = ExitCode.REFUSED if status in {401, 403} else ExitCode.WRONG
    assert caught.value.exit_code is expected


def test_a_redirect_is_not_followed(server: Any, answers: Any, event: dict[str, Any], key: SecretRef) -> None:
    server.script = [answers(308, Location=f"{server.url}/elsewhere")]
    with pytest.raises(LineageError, match="redirects are not followed"):
        delivery(server.url, api_key=key).deliver(event, json.dumps(event))
    assert len(server.requests) == 1


def hang(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.settimeout(HANG_S)
    handler.rfile.read(1)


def test_a_silent_server_is_told(server: Any, event: dict[str, Any]) -> None:
    server.script = [hang]
    with pytest.raises(LineageError, match="no answer within") as caught:
        delivery(server.url, timeout_s=0.2, deadline_s=0.5).deliver(event, json.dumps(event))
    assert caught.value.exit_code is ExitCode.TIMEOUT


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Sends a byte of its headers now and then: never silent for long, never done."""
    handler.wfile.write(b"HTTP/1.1 201 Created\r\nX-Slow: ")
    pause = threading.Event()
    for _ in range(HANG_S * 20):
        pause.wait(0.05)
        handler.wfile.write(b"x")


def test_a_server_that_drips_holds_nobody(server: Any, event: dict[str, Any]) -> None:
    server.script = [drip]
    began = time.monotonic()
    with pytest.raises(LineageError, match="the time for all attempts was over") as caught:
        delivery(server.url, deadline_s=0.3).deliver(event, json.dumps(event))
    assert time.monotonic() - began < HANG_S / 2
    assert caught.value.exit_code is ExitCode.TIMEOUT


@pytest.mark.parametrize("unfit", ["k3y\u2026", "k3y\nX-More: 1"])
def test_a_key_that_no_header_can_carry_is_told_without_it(
    server: Any, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch, unfit: str
) -> None:
    monkeypatch.setenv("LINEAGE_KEY", unfit)
    with pytest.raises(LineageError, match="no header can carry") as caught:
        delivery(server.url, api_key={"env": "LINEAGE_KEY"}).deliver(event, json.dumps(event))
    assert "k3y" not in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE
    assert server.requests == []


def test_where_nobody_listens_is_told(dead: str, event: dict[str, Any]) -> None:
    with pytest.raises(LineageError, match="the connection failed") as caught:
        delivery(dead, deadline_s=0.3).deliver(event, json.dumps(event))
    assert caught.value.exit_code is ExitCode.MISSING
    assert dead in caught.value.where


@pytest.mark.parametrize("url", ["http://marquez.example.com", "http://10.0.0.7:5000"])
def test_a_key_does_not_travel_in_the_open(url: str, event: dict[str, Any], key: SecretRef) -> None:
    with pytest.raises(LineageError, match="without encryption") as caught:
        delivery(url, api_key=key).deliver(event, json.dumps(event))
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_referenced_url_is_checked_when_used(event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAGE_URL", "https://user:hunter2@host")  # nosec B105 - planted
    transport = HttpTransport(type="http", url=SecretRef(env="LINEAGE_URL"))
    with pytest.raises(LineageError, match="env:LINEAGE_URL") as caught:
        HttpDelivery(transport).deliver(event, json.dumps(event))
    assert "hunter2" not in str(caught.value)


def test_a_probe_sees_who_answers(server: Any, answers: Any, dead: str) -> None:
    server.script = [answers(404)]
    assert "HTTP 404" in delivery(server.url).probe(1)
    server.script = [answers(503)]
    with pytest.raises(LineageError, match="HTTP 503"):
        delivery(server.url).probe(1)
    with pytest.raises(LineageError):
        delivery(dead).probe(1)
