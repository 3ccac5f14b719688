"""The object store client against a scripted S3; the real one is asked in `tests/e2e`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import CredentialsRefusedError, ExitCode, FloeError
from floe_ops.clients.object_store import BucketState, ObjectStore
from polaris_standin.scripted import Reply, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "planted-s3-secret"  # noqa: S105 - planted, to be looked for


def xml(status: int, code: str) -> Reply:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>said by a test</Message></Error>"
    return Reply(status, body, {"Content-Type": "application/xml"})


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer({"HEAD /floe-iceberg": Reply(200)}) as running:
        yield running


@pytest.fixture
def store(server: ScriptedServer) -> ObjectStore:
    return ObjectStore(server.url, "key", SECRET)


@pytest.mark.requirement("WU1-AC2")
def test_the_look_is_a_signed_head(server: ScriptedServer, store: ObjectStore) -> None:
    found = store.check("floe-iceberg")
    assert found.state is BucketState.PRESENT
    assert found.answer == "HTTP 200 to a signed HeadBucket"
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("HEAD", "/floe-iceberg")
    assert seen.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=key/")
    assert SECRET not in str(seen.headers)


@pytest.mark.requirement("WU1-AC2")
@pytest.mark.parametrize(
    ("head", "listing", "state", "code"),
    [
        (404, None, BucketState.MISSING, ExitCode.WRONG),
        (403, "AccessDenied", BucketState.FORBIDDEN, ExitCode.REFUSED),
        (403, "InvalidAccessKeyId", BucketState.WRONG_KEY, ExitCode.REFUSED),
        (403, "SignatureDoesNotMatch", BucketState.WRONG_KEY, ExitCode.REFUSED),
        (500, None, BucketState.UNREACHABLE, ExitCode.TIMEOUT),
        (503, None, BucketState.UNREACHABLE, ExitCode.TIMEOUT),
        (0, None, BucketState.UNREACHABLE, ExitCode.TIMEOUT),
    ],
)
def test_missing_forbidden_wrong_key_and_unreachable_are_told_apart(  # noqa: PLR0913, PLR0917 - one row of the table
    server: ScriptedServer, store: ObjectStore, head: int, listing: str | None, state: BucketState, code: ExitCode
) -> None:
    server.script["HEAD /floe-iceberg"] = Reply(head)
    if listing is not None:
        server.script["GET /floe-iceberg"] = xml(403, listing)
    found = store.check("floe-iceberg")
    assert found.state is state
    error = found.error()
    assert error.exit_code == code
    assert server.url in error.where
    assert error.remedy
    assert SECRET not in str(error)
    if listing:
        assert listing in error.why


def test_nothing_listens() -> None:
    found = ObjectStore("http://127.0.0.1:1", "key", SECRET).check("floe-iceberg")
    assert found.state is BucketState.UNREACHABLE
    assert found.answer == "connection refused"


def test_creates_and_says_whether_it_was_there(server: ScriptedServer, store: ObjectStore) -> None:
    server.script["PUT /new"] = Reply(200)
    assert store.create("new") is True
    for code in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
        server.script["PUT /new"] = xml(409, code)
        assert store.create("new") is False


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (403, "AccessDenied", ExitCode.REFUSED),
        (403, "InvalidAccessKeyId", ExitCode.REFUSED),
        (400, "InvalidBucketName", ExitCode.WRONG),
        (503, "SlowDown", ExitCode.TIMEOUT),
    ],
)
def test_a_refused_creation_says_why(
    server: ScriptedServer, store: ObjectStore, status: int, said: str, code: ExitCode
) -> None:
    server.script["PUT /new"] = xml(status, said)
    with pytest.raises(FloeError, match=said) as caught:
        store.create("new")
    assert caught.value.exit_code == code


def test_waits_for_a_store_that_comes_up_and_believes_a_refusal(server: ScriptedServer, store: ObjectStore) -> None:
    server.script["HEAD /floe-iceberg"] = [Reply(503), Reply(0), Reply(200)]
    assert store.wait("floe-iceberg", 10).state is BucketState.PRESENT
    server.script["HEAD /other"] = Reply(403)
    server.script["GET /other"] = xml(403, "InvalidAccessKeyId")
    start = time.monotonic()
    with pytest.raises(CredentialsRefusedError):
        raise store.wait("other", 30).error()
    assert time.monotonic() - start < 5


def test_a_store_that_never_comes_ends_the_wait() -> None:
    start = time.monotonic()
    found = ObjectStore("http://127.0.0.1:1", "key", SECRET).wait("floe-iceberg", 0.4)
    assert found.state is BucketState.UNREACHABLE
    assert time.monotonic() - start < 5


def test_the_secret_does_not_show(store: ObjectStore) -> None:
    assert SECRET not in repr(store)
