from __future__ import annotations

import logging
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from floe_core.errors import ExitCode, FloeError
from floe_core.http import answers as answers_module
from floe_core.http.answers import Wording
from floe_core.http.delivery import Delivery

HANG_S = 20  # far beyond every limit below: tells a hang from a limit
HIDDEN = "T0000/B0000/pathThatIsASecret"


class NotTakenError(FloeError):
    """The error of these tests."""


def sender(url: str, *, timeout_s: float = 1.0, deadline_s: float = 5.0) -> Delivery:
    wording = Wording(NotTakenError, "it was not taken", url, "check the token", "see the log")
    return Delivery(f"{url}/services/{HIDDEN}", timeout_s, deadline_s, wording, secrets=(HIDDEN, "tok3n-value"))


def post(to: Delivery) -> None:
    to.post(b"{}", lambda: {"Content-Type": "application/json"})


def bounded(to: Delivery, match: str) -> NotTakenError:
    begin = time.monotonic()
    with pytest.raises(NotTakenError, match=match) as caught:
        post(to)
    assert time.monotonic() - begin < HANG_S
    assert HIDDEN not in f"{caught.value} {caught.value!r}"
    assert threading.active_count() < 20
    return caught.value


def hang(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.settimeout(HANG_S)
    handler.rfile.read(1)


def late(handler: BaseHTTPRequestHandler) -> None:
    """Answers after the client's timeout; by then it has gone."""
    handler.connection.settimeout(HANG_S)
    handler.rfile.read(1)
    handler.send_response(200)
    handler.end_headers()


def reset(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def close(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(503)
    handler.end_headers()
    while True:
        handler.wfile.write(b"endless " * 1000)


def endless_success(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"endless " * 1000)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Sends a byte of its headers now and then: never silent for long, never done."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    pause = threading.Event()
    for _ in range(HANG_S * 20):
        pause.wait(0.05)
        handler.wfile.write(b"x")


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
    handler.close_connection = True


def test_it_arrives(receiver: Any) -> None:
    post(sender(receiver.url))
    (request,) = receiver.requests
    assert (request.path, request.body) == (f"/services/{HIDDEN}", b"{}")


def test_a_netrc_adds_nothing(receiver: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    post(sender(receiver.url))
    assert "Authorization" not in receiver.requests[0].headers


def test_a_flapping_receiver_gets_it_in_the_end(receiver: Any, answers: Any) -> None:
    receiver.script = [answers(503), answers(503), answers(200)]
    post(sender(receiver.url))
    assert len(receiver.requests) == 3


@pytest.mark.parametrize("status", [429, 500, 599])
def test_a_passing_failure_is_tried_again(receiver: Any, answers: Any, status: int) -> None:
    receiver.script = [answers(status, Retry_After="0"), answers(204)]
    post(sender(receiver.url))
    assert len(receiver.requests) == 2


def test_the_pause_that_was_asked_for_is_kept(receiver: Any, answers: Any) -> None:
    receiver.script = [answers(429, Retry_After="1"), answers(200)]
    begin = time.monotonic()
    post(sender(receiver.url))
    assert time.monotonic() - begin >= 1


def test_a_pause_of_nothing_is_no_leave_to_hammer(receiver: Any, answers: Any) -> None:
    receiver.script = [answers(503, Retry_After="0")]
    bounded(sender(receiver.url, deadline_s=0.3), "HTTP 503")
    assert 2 <= len(receiver.requests) <= 7


def test_a_secret_at_the_edge_of_what_is_quoted_leaves_no_part(receiver: Any, answers: Any) -> None:
    receiver.script = [answers(400, b"x" * (answers_module.EXCERPT - 5) + b"tok3n-value")]
    assert "tok" not in str(bounded(sender(receiver.url), "HTTP 400"))


def test_asking_gives_the_status_that_will_do(receiver: Any, answers: Any) -> None:
    receiver.script = [answers(404)]
    assert sender(receiver.url).ask(lambda status: status < 500) == 404
    with pytest.raises(NotTakenError, match="HTTP 404"):
        sender(receiver.url).ask()
    receiver.script = [answers(503)]
    with pytest.raises(NotTakenError, match="HTTP 503"):
        sender(receiver.url).ask(lambda status: status < 500)


@pytest.mark.parametrize("unfit", ["caf\u2026", "a\nX-More: 1"])
def test_a_header_that_cannot_be_sent_is_told_and_not_quoted(receiver: Any, unfit: str) -> None:
    with pytest.raises(NotTakenError, match="no header can carry") as caught:
        sender(receiver.url).post(b"{}", lambda: {"Authorization": f"Bearer {unfit}"})
    assert unfit not in f"{caught.value} {caught.value!r}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_pause_beyond_the_deadline_is_not_waited_for(receiver: Any, answers: Any) -> None:
    receiver.script = [answers(429, Retry_After="86400")]
    error = bounded(sender(receiver.url), r"HTTP 429 \(after 1 attempt\)")
    assert error.exit_code is ExitCode.WRONG


@pytest.mark.parametrize("status", [400, 401, 403, 404, 501])
def test_a_refusal_is_final(receiver: Any, answers: Any, status: int) -> None:
    body = f"no_service \x1b[31m{HIDDEN}\n\u202etok3n-value".encode() + b"y" * 9000
    receiver.script = [answers(status, body)]
    error = bounded(sender(receiver.url), f"HTTP {status}: no_service")
    assert len(receiver.requests) == 1
    assert "tok3n-value" not in str(error)
    assert str(error).replace("\n", "").isprintable()
    assert len(str(error)) < 700
    assert error.exit_code is (ExitCode.REFUSED if status in {401, 403} else ExitCode.WRONG)


@pytest.mark.parametrize("status", [301, 303, 308])
def test_a_redirect_is_not_followed(receiver: Any, answers: Any, status: int) -> None:
    receiver.script = [answers(status, Location="https://elsewhere.example/collect")]
    error = bounded(sender(receiver.url), f"HTTP {status}")
    assert len(receiver.requests) == 1
    assert "redirects are not followed" in error.remedy


@pytest.mark.parametrize("fault", [reset, close, nonsense])
def test_a_lost_connection_is_tried_again(receiver: Any, answers: Any, fault: Any) -> None:
    receiver.script = [fault, fault, answers(200)]
    post(sender(receiver.url))
    assert len(receiver.requests) == 3


@pytest.mark.parametrize("fault", [hang, late])
def test_a_silent_receiver_is_told(receiver: Any, fault: Any) -> None:
    receiver.script = [fault]
    error = bounded(
        sender(receiver.url, timeout_s=0.1, deadline_s=0.35), r"no answer within 0\.1 s \(after \d attempts\)"
    )
    assert error.exit_code is ExitCode.TIMEOUT


def test_a_receiver_that_was_silent_once_gets_it(receiver: Any, answers: Any) -> None:
    receiver.script = [late, answers(200)]
    post(sender(receiver.url, timeout_s=0.3))
    assert len(receiver.requests) == 2


def test_an_endless_answer_ends(receiver: Any) -> None:
    receiver.script = [endless]
    error = bounded(sender(receiver.url, deadline_s=0.3), "HTTP 503: endless")
    assert len(str(error)) < 700
    receiver.script = [endless_success]
    post(sender(receiver.url))


def test_a_dripping_answer_ends_at_the_deadline(receiver: Any) -> None:
    receiver.script = [drip]
    error = bounded(sender(receiver.url, timeout_s=1.0, deadline_s=0.3), "the time for all attempts was over")
    assert error.exit_code is ExitCode.TIMEOUT


def test_what_was_said_before_the_deadline_is_told(receiver: Any, answers: Any) -> None:
    receiver.script = [answers(503, b"down for repair"), drip]
    bounded(
        sender(receiver.url, timeout_s=2.0, deadline_s=0.5), "all attempts was over; before that: HTTP 503: down for"
    )


def test_where_nobody_listens_is_told(dead: str) -> None:
    error = bounded(sender(dead, deadline_s=0.2), "the connection failed")
    assert error.exit_code is ExitCode.MISSING
    assert error.where == dead


def test_nothing_of_the_url_is_logged(receiver: Any, dead: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    post(sender(receiver.url))
    bounded(sender(dead, deadline_s=0.3), "connection")
    assert HIDDEN not in caplog.text
    logging.getLogger("urllib3.connectionpool").debug("others still speak")
    assert "others still speak" in caplog.text


def test_http_instrumentation_is_told_to_be_silent(receiver: Any) -> None:
    from opentelemetry import context

    seen: list[object] = []

    def headers() -> dict[str, str]:
        seen.append(context.get_value("suppress_instrumentation"))
        return {}

    sender(receiver.url).post(b"{}", headers)
    assert seen == [True]
    assert context.get_value("suppress_instrumentation") is None
