"""uv is fetched from the configured index, by the hash in the lock; the index here is a real server on loopback."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import platform
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from floe_ops import uv_wheel

MACHINE = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
SYSTEM = "macosx_11_0_arm64" if sys.platform == "darwin" else f"manylinux_2_17_{MACHINE}"
NAME = f"uv-1.2.3-py3-none-{SYSTEM}.whl"


def _wheel(script: bytes = b"#!/bin/sh\necho uv 1.2.3\n") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("uv-1.2.3.data/scripts/uv", script)
    return content.getvalue()


@dataclass
class Index:
    """A simple index: what it serves, and what it was asked."""

    url: str = ""
    html: bool = False
    wheel: bytes = field(default_factory=_wheel)
    logins: list[str | None] = field(default_factory=list)

    def page(self) -> tuple[str, bytes]:
        link = f"../files/{NAME}#sha256=0"
        if self.html:
            return "text/html", f'<a href="{link}">{NAME}</a>'.encode()
        return "application/vnd.pypi.simple.v1+json", json.dumps({"files": [{"url": link}]}).encode()


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    here = Index()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.logins.append(self.headers.get("Authorization"))
            kind, content = here.page() if self.path == "/simple/uv/" else ("application/zip", here.wheel)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here.url = f"http://127.0.0.1:{server.server_port}/simple"
        monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
        monkeypatch.delenv("UV_INDEX_URL", raising=False)
        monkeypatch.setenv("PIP_INDEX_URL", here.url)
        yield here
        server.shutdown()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    digest = hashlib.sha256(_wheel()).hexdigest()
    entry = f'{{ url = "https://example.org/{NAME}", hash = "sha256:{digest}" }}'
    (tmp_path / "uv.lock").write_text(f'[[package]]\nname = "uv"\nversion = "1.2.3"\nwheels = [{entry}]\n')
    return tmp_path


@pytest.mark.parametrize("html", [False, True])
def test_it_is_fetched_unpacked_and_found_again(index: Index, root: Path, html: bool) -> None:
    index.html = html

    path = uv_wheel.ensure(root)

    assert path == root / ".floe/tools/uv-1.2.3/uv"
    assert path.stat().st_mode & 0o111
    asked = len(index.logins)
    assert uv_wheel.ensure(root) == path
    assert len(index.logins) == asked


def test_another_file_than_the_lock_pins_is_refused(index: Index, root: Path) -> None:
    index.wheel = _wheel(b"evil")

    with pytest.raises(uv_wheel.FetchError, match="another file than the lock pins"):
        uv_wheel.ensure(root)

    assert not (root / ".floe/tools/uv-1.2.3/uv").exists()


def test_name_and_password_of_an_index_are_sent_and_never_shown(
    index: Index, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.url.replace("http://", "http://me:p%40ss@"))
    uv_wheel.ensure(root)
    assert set(index.logins) == {f"Basic {base64.b64encode(b'me:p@ss').decode()}"}  # for the page and for the file

    monkeypatch.setenv("PIP_INDEX_URL", "http://me:p%40ss@127.0.0.1:1/simple")  # nosec B105 - planted
    (root / ".floe/tools/uv-1.2.3/uv").unlink()
    with pytest.raises(uv_wheel.FetchError) as caught:
        uv_wheel.ensure(root)
    assert "p%40ss" not in str(caught.value) + capsys.readouterr().err
    assert "http://127.0.0.1:1/simple/uv/" in str(caught.value)
    assert "install uv" in str(caught.value)


def test_a_full_disk_leaves_nothing_half_made(index: Index, root: Path) -> None:
    (root / ".floe").write_text("in the way of a folder")

    with pytest.raises(uv_wheel.FetchError, match="uv cannot be unpacked"):
        uv_wheel.ensure(root)


def test_a_machine_without_wheel_and_a_broken_lock_are_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    with pytest.raises(uv_wheel.FetchError, match="on vax"):
        uv_wheel.ensure(root)

    (root / "uv.lock").write_text("= =")
    with pytest.raises(uv_wheel.FetchError, match="the lock cannot be read"):
        uv_wheel.ensure(root)


def test_the_index_comes_from_the_environment_then_pip_then_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text("[global]\nindex-url = http://pip.example/simple/\n")
    assert uv_wheel.index() == "http://pip.example/simple"

    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://uv.example/simple")
    assert uv_wheel.index() == "http://uv.example/simple"
