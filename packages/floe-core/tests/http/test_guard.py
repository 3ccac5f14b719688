"""Sockets that are shut in time, also within a TLS handshake; and whom a session trusts."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import requests
from floe_core.http.guard import CERTIFICATES, Guard, guarded
from floe_core.testing.receiver import Receiver

HANG_S = 10.0


@contextmanager
def dripping(lead: bytes, drop: bytes) -> Iterator[int]:
    """The port of a server that sends `lead`, then `drop` twenty times a second without an end."""
    ended = threading.Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(lead)
            while not ended.wait(0.05):
                connection.sendall(drop)

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ended.set()
            thread.join(HANG_S)


@pytest.mark.parametrize(
    ("scheme", "lead", "drop"),
    [
        ("http", b"HTTP/1.1 200 OK\r\nX-Drip: ", b"x"),
        ("https", b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", b"\x03"),  # the beginning of a long handshake
    ],
)
def test_who_drips_is_cut_off(scheme: str, lead: bytes, drop: bytes) -> None:
    with dripping(lead, drop) as port:
        url = f"{scheme}://127.0.0.1:{port}/"
        began = time.monotonic()
        with guarded(url, 0.3) as (session, guard), suppress(requests.RequestException):
            session.get(url, timeout=5.0)
        assert guard.expired
        assert time.monotonic() - began < HANG_S / 4


def test_a_socket_that_comes_too_late_is_shut_at_once() -> None:
    guard = Guard()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener, guard.limit(0.05):
        for _ in ("in time", "too late"):
            with closing(socket.create_connection(listener.getsockname())) as connected:
                connected.settimeout(HANG_S)
                guard.watch(connected)
                assert connected.recv(1) == b""
            assert guard.expired


def test_nothing_stays_open(receiver: Receiver) -> None:
    folder = Path("/proc/self/fd")
    with guarded(receiver.url, 5.0) as (session, _):
        session.get(receiver.url, timeout=5.0)
    before, threads = len(list(folder.iterdir())), threading.active_count()
    for _number in range(5):
        with guarded(receiver.url, 5.0) as (session, _):
            session.get(receiver.url, timeout=5.0)
    assert len(list(folder.iterdir())) <= before + 2
    assert threading.active_count() <= threads + 2


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of `localhost` for itself, with its key in the same file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = [
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
        "-keyout",
        str(path),
        "-out",
        str(path.with_suffix(".crt")),
    ]
    subprocess.run(["openssl", *words.split(), *names], check=True, capture_output=True, timeout=60)
    path.write_text(path.read_text() + path.with_suffix(".crt").read_text())
    return path


def test_own_certificates_are_trusted_where_they_are_named(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            connection, _peer = listener.accept()
            with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                secure.recv(65536)
                secure.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    for name in CERTIFICATES:
        monkeypatch.delenv(name, raising=False)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        url = f"https://localhost:{listener.getsockname()[1]}/"
        with guarded(url, HANG_S) as (session, _), pytest.raises(requests.exceptions.SSLError):
            session.get(url, timeout=5.0)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", os.fspath(certificate.with_suffix(".crt")))
        with guarded(url, HANG_S) as (session, _):
            assert session.get(url, timeout=5.0).status_code == 204
        thread.join(HANG_S)
