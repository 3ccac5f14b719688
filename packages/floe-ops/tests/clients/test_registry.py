"""The client against a small HTTP server that answers what a test tells it to, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import CredentialsRefusedError, UsageError, WrongStateError
from floe_ops.clients.registry import (
    MAX_DOCUMENT,
    OCI_INDEX,
    OCI_MANIFEST,
    DigestMismatchError,
    ImageMissingError,
    Reference,
    RegistryClient,
    RegistryUnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Answer = tuple[int, dict[str, str], bytes]


class FakeRegistry(ThreadingHTTPServer):
    """Answers by path; `token` set means that every answer needs it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[Answer]] = {}
        self.token = ""
        self.logins: list[str] = []
        self.host = f"127.0.0.1:{self.server_address[1]}"

    def put(self, path: str, body: bytes, *, status: int = 200, **headers: str) -> str:
        self.answers.setdefault(path, []).append((status, headers, body))
        return f"sha256:{hashlib.sha256(body).hexdigest()}"


class Handler(BaseHTTPRequestHandler):
    server: FakeRegistry

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/token":
            self.server.logins.append(self.headers.get("Authorization", ""))
            self.reply(200, {}, b'{"token": "t0"}')
        elif self.server.token and self.headers.get("Authorization") != f"Bearer {self.server.token}":
            realm = f'Bearer realm="http://{self.server.host}/token",service="s",scope="repository:a/b:pull"'
            self.reply(401, {"WWW-Authenticate": realm}, b"")
        else:
            queue = self.server.answers.get(path) or [(404, {}, b"none")]
            self.reply(*(queue.pop(0) if len(queue) > 1 else queue[0]))

    do_HEAD = do_GET  # noqa: N815 - the base class's own name

    def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's own name
        """Say nothing."""


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with FakeRegistry() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


@pytest.fixture
def client(fake: FakeRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RegistryClient]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with RegistryClient(fake.host, timeout=5) as made:
        yield made


def test_a_manifest_comes_with_its_own_digest(fake: FakeRegistry, client: RegistryClient) -> None:
    body = json.dumps({"mediaType": OCI_MANIFEST}).encode()
    digest = fake.put("/v2/a/b/manifests/1", body)
    found = client.document("a/b", "1")
    assert (found.digest, found.media_type, found.size, found.is_index) == (digest, OCI_MANIFEST, len(body), False)


def test_the_media_type_may_stand_in_the_header_only(fake: FakeRegistry, client: RegistryClient) -> None:
    fake.put("/v2/a/b/manifests/1", b"{}", Content_Type=f"{OCI_INDEX}; charset=utf-8")
    assert client.document("a/b", "1").is_index


def test_bytes_that_are_not_those_of_the_digest_are_refused(fake: FakeRegistry, client: RegistryClient) -> None:
    other = "sha256:" + "0" * 64
    fake.put(f"/v2/a/b/manifests/{other}", b"{}")
    fake.put("/v2/a/b/manifests/tag", b"{}", Docker_Content_Digest=other)
    fake.put(f"/v2/a/b/blobs/{other}", b"{}")
    with pytest.raises(DigestMismatchError):
        client.document("a/b", other)
    with pytest.raises(DigestMismatchError):
        client.document("a/b", "tag")
    with pytest.raises(DigestMismatchError):
        client.json_blob("a/b", other)
    with pytest.raises(DigestMismatchError):
        client.read_blob("a/b", other)


def test_a_blob_is_read_whole_or_asked_for_its_size(fake: FakeRegistry, client: RegistryClient) -> None:
    content = b"layer" * 1000
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    fake.put(f"/v2/a/b/blobs/{digest}", content)
    assert client.read_blob("a/b", digest) == len(content)
    assert client.blob_size("a/b", digest) == len(content)


def test_what_is_not_there_is_missing(client: RegistryClient) -> None:
    with pytest.raises(ImageMissingError):
        client.document("a/b", "1")


@pytest.mark.parametrize("body", [b"not json", b"[1]", b'"text"'])
def test_what_is_no_document_is_wrong(fake: FakeRegistry, client: RegistryClient, body: bytes) -> None:
    fake.put("/v2/a/b/manifests/1", body)
    with pytest.raises(WrongStateError, match="not a JSON document"):
        client.document("a/b", "1")


def test_a_document_without_end_is_not_read_to_the_end(fake: FakeRegistry, client: RegistryClient) -> None:
    fake.put("/v2/a/b/manifests/1", b" " * (MAX_DOCUMENT + 10))
    with pytest.raises(WrongStateError, match="too large"):
        client.document("a/b", "1")


def test_a_busy_registry_is_asked_again(fake: FakeRegistry, client: RegistryClient) -> None:
    fake.put("/v2/a/b/manifests/1", b"busy", status=503)
    fake.put("/v2/a/b/manifests/1", b"{}")
    assert client.document("a/b", "1").body == {}


def test_a_token_is_fetched_where_one_is_wanted_with_the_stored_login(
    fake: FakeRegistry, client: RegistryClient, tmp_path: Path
) -> None:
    fake.token = "t0"  # noqa: S105 - what the fake hands out
    fake.put("/v2/a/b/manifests/1", b"{}")
    assert client.document("a/b", "1").body == {}
    assert fake.logins == [""]  # nobody logged in: an anonymous token

    login = base64.b64encode(b"me:pass").decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {fake.host: {"auth": login}}}), encoding="utf-8")
    with RegistryClient(fake.host) as again:
        again.document("a/b", "1")
    assert fake.logins[1] == f"Basic {login}"


def test_a_token_that_does_not_help_is_a_refusal(fake: FakeRegistry, client: RegistryClient) -> None:
    fake.token = "another"  # noqa: S105 - a token that the fake never hands out
    with pytest.raises(CredentialsRefusedError, match=r"refused") as caught:
        client.document("a/b", "1")
    assert "t0" not in str(caught.value)


def test_a_dead_registry_is_named_at_once(fake: FakeRegistry) -> None:
    fake.server_close()
    with RegistryClient(fake.host) as client, pytest.raises(RegistryUnreachableError, match=fake.host) as caught:
        client.document("a/b", "1")
    assert caught.value.why == "connection refused"


@pytest.mark.parametrize(
    ("text", "host", "name", "target"),
    [
        ("cubejs/cubestore:v1.3", "registry-1.docker.io", "cubejs/cubestore", "v1.3"),
        ("alpine", "registry-1.docker.io", "library/alpine", "latest"),
        ("docker.io/cubejs/cubestore:v1.3", "registry-1.docker.io", "cubejs/cubestore", "v1.3"),
        ("index.docker.io/alpine:3", "registry-1.docker.io", "library/alpine", "3"),
        ("ghcr.io/o/cube-store:1", "ghcr.io", "o/cube-store", "1"),
        ("localhost:5000/x", "localhost:5000", "x", "latest"),
        (f"127.0.0.1:5/x/y:1@sha256:{'a' * 64}", "127.0.0.1:5", "x/y", f"sha256:{'a' * 64}"),
    ],
)
def test_a_reference_is_read_as_people_write_it(text: str, host: str, name: str, target: str) -> None:
    reference = Reference.parse(text)
    assert (reference.host, reference.name, reference.target) == (host, name, target)


@pytest.mark.parametrize("text", ["", "a b", "UPPER/x", "host.io/x:", "x@sha256:12", "host.io/", "x:tag:tag"])
def test_what_is_no_reference_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="not an image reference"):
        Reference.parse(text)


def test_a_reference_is_written_back() -> None:
    text = f"127.0.0.1:5/x/y:1@sha256:{'a' * 64}"
    assert str(Reference.parse(text)) == text
    assert Reference.parse("h.io/x:1").at("sha256:1") == "h.io/x@sha256:1"
