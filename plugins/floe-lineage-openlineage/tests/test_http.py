from __future__ import annotations

import email.utils
import os
import socket
import struct
import subprocess
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from floe_core.errors import ExitCode
from floe_core.plugins import LineageError
from floe_core.spec.secrets import SecretRef
from floe_lineage_openlineage.http import HttpDelivery, _retry_after
from floe_lineage_openlineage.plugin import HttpTransport
from hypothesis import given
from hypothesis import strategies as st

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
    delivery(f"{server.url}/base", api_key=key, compress=compress).deliver(event, "")
    (request,) = server.requests
    assert request.event == event
    assert request.path == "/base/api/v1/lineage"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers.get("Content-Encoding") == ("gzip" if compress else None)


def test_a_netrc_does_not_replace_the_key(
    server: Any, event: dict[str, Any], key: SecretRef, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    delivery(server.url, api_key=key).deliver(event, "")
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again(server: Any, answers: Any, event: dict[str, Any], status: int) -> None:
    server.script = [answers(status), answers(status, Retry_After="0"), answers(201)]
    delivery(server.url).deliver(event, "")
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 501])
def test_a_refusal_is_final(server: Any, answers: Any, event: dict[str, Any], status: int, key: SecretRef) -> None:
    server.script = [answers(status, f"no\x1b[31m run with {KEY}\n<b>".encode() + b"y" * 5000)]
    with pytest.raises(LineageError, match=f"HTTP {status}") as caught:
        delivery(server.url, api_key=key).deliver(event, "")
    assert len(server.requests) == 1
    assert KEY not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 800
    expected = ExitCode.REFUSED if status in {401, 403} else ExitCode.WRONG
    assert caught.value.exit_code is expected


def test_a_redirect_is_not_followed(server: Any, answers: Any, event: dict[str, Any], key: SecretRef) -> None:
    server.script = [answers(308, Location=f"{server.url}/elsewhere")]
    with pytest.raises(LineageError, match="redirects are not followed"):
        delivery(server.url, api_key=key).deliver(event, "")
    assert len(server.requests) == 1


def test_a_pause_that_is_too_long_is_not_waited_for(server: Any, answers: Any, event: dict[str, Any]) -> None:
    server.script = [answers(503, Retry_After="3600")]
    begin = time.monotonic()
    with pytest.raises(LineageError, match=r"HTTP 503 .*after 1 attempt\b"):
        delivery(server.url).deliver(event, "")
    assert time.monotonic() - begin < HANG_S


def test_a_server_that_keeps_failing_ends_at_the_deadline(server: Any, answers: Any, event: dict[str, Any]) -> None:
    server.script = [answers(503, b"down for repair")]
    with pytest.raises(LineageError, match=r"down for repair \(after \d+ attempts\)"):
        delivery(server.url, deadline_s=0.8).deliver(event, "")
    assert 2 <= len(server.requests) <= 10


def hang(handler: BaseHTTPRequestHandler) -> None:
    handler.server.RequestHandlerClass  # noqa: B018 - the handler is only held
    handler.connection.settimeout(HANG_S)
    handler.rfile.read(1)


def reset(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(500)
    handler.end_headers()
    while True:
        handler.wfile.write(b"endless " * 1000)


def test_a_silent_server_is_told(server: Any, event: dict[str, Any]) -> None:
    server.script = [hang]
    with pytest.raises(LineageError, match="no answer within") as caught:
        delivery(server.url, timeout_s=0.2, deadline_s=0.5).deliver(event, "")
    assert caught.value.exit_code is ExitCode.TIMEOUT


def test_a_lost_connection_is_tried_again(server: Any, answers: Any, event: dict[str, Any]) -> None:
    server.script = [reset, reset, answers(201)]
    delivery(server.url).deliver(event, "")
    assert len(server.requests) == 3


def test_an_endless_answer_ends(server: Any, event: dict[str, Any]) -> None:
    server.script = [endless]
    begin = time.monotonic()
    with pytest.raises(LineageError, match="endless") as caught:
        delivery(server.url, deadline_s=0.5).deliver(event, "")
    assert time.monotonic() - begin < HANG_S
    assert len(str(caught.value)) < 800


def test_where_nobody_listens_is_told(dead: str, event: dict[str, Any]) -> None:
    with pytest.raises(LineageError, match="the connection failed") as caught:
        delivery(dead, deadline_s=0.3).deliver(event, "")
    assert caught.value.exit_code is ExitCode.MISSING
    assert dead in caught.value.where


@pytest.mark.parametrize("url", ["http://marquez.example.com", "http://10.0.0.7:5000"])
def test_a_key_does_not_travel_in_the_open(url: str, event: dict[str, Any], key: SecretRef) -> None:
    with pytest.raises(LineageError, match="without encryption") as caught:
        delivery(url, api_key=key).deliver(event, "")
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_referenced_url_is_checked_when_used(event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAGE_URL", "https://user:hunter2@host")  # nosec B105 - planted
    transport = HttpTransport(type="http", url=SecretRef(env="LINEAGE_URL"))
    with pytest.raises(LineageError, match="env:LINEAGE_URL") as caught:
        HttpDelivery(transport).deliver(event, "")
    assert "hunter2" not in str(caught.value)


def test_a_probe_sees_who_answers(server: Any, answers: Any, dead: str) -> None:
    server.script = [answers(404)]
    assert "HTTP 404" in delivery(server.url).probe(1)
    server.script = [answers(503)]
    with pytest.raises(LineageError, match="HTTP 503"):
        delivery(server.url).probe(1)
    with pytest.raises(LineageError):
        delivery(dead).probe(1)


def test_own_certificates_are_used(tmp_path: Path, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with a certificate of its own: refused without its bundle, trusted with it."""
    import ssl
    import threading
    from http.server import HTTPServer

    certificate, private = tmp_path / "cert.pem", tmp_path / "key.pem"
    words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {private} -out {certificate}"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(["openssl", *words.split(), *names], check=True, capture_output=True, timeout=60)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Quiet(HTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that does not trust us hangs up."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    https = Quiet(("127.0.0.1", 0), Handler)
    https.socket = context.wrap_socket(https.socket, server_side=True)
    thread = threading.Thread(target=https.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        sender = delivery(f"https://localhost:{https.server_address[1]}", deadline_s=0.5)
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.delenv(name, raising=False)
        with pytest.raises(LineageError, match="certificate cannot be verified"):
            sender.deliver(event, "")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", os.fspath(certificate))
        sender.deliver(event, "")
    finally:
        https.shutdown()
        https.server_close()
        thread.join()


@given(st.text(max_size=20) | st.integers().map(str))
def test_any_retry_after_is_seconds_or_nothing(value: str) -> None:
    import requests

    response = requests.Response()
    response.headers["Retry-After"] = value
    asked = _retry_after(response)
    assert asked is None or asked >= 0


def test_a_retry_after_may_be_a_date() -> None:
    import requests

    response = requests.Response()
    response.headers["Retry-After"] = email.utils.formatdate(time.time() + 100, usegmt=True)
    asked = _retry_after(response)
    assert asked is not None
    assert 50 < asked < 150
