from __future__ import annotations

import secrets
from typing import Any

import pytest
from polaris_standin.contract.stack import BUCKET, Keys, ObjectStore, Proxy
from polaris_standin.errors import ApiError
from polaris_standin.iceberg.storage import Session, Storage


@pytest.fixture
def config(store: ObjectStore) -> dict[str, Any]:
    return {"endpoint": f"http://{store.address}", "pathStyleAccess": True, "region": "us-east-1"}


@pytest.fixture(autouse=True)
def _environment(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in keys.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def base() -> str:
    return f"s3://{BUCKET}/{secrets.token_hex(4)}/table"


def _client(store: ObjectStore, session: Session) -> Any:
    import boto3

    return boto3.client(
        "s3",
        endpoint_url=f"http://{store.address}",
        region_name="us-east-1",
        aws_access_key_id=session.access_key,
        aws_secret_access_key=session.secret_key,
        aws_session_token=session.token,
    )


def test_what_is_written_is_read(config: dict[str, Any], base: str) -> None:
    storage = Storage()
    storage.write(config, base, f"{base}/metadata/x.json", b"{}")
    assert storage.read(config, base, f"{base}/metadata/x.json") == b"{}"
    storage.delete_below(config, base)
    with pytest.raises(ApiError) as caught:
        storage.read(config, base, f"{base}/metadata/x.json")
    assert caught.value.status == 404


def test_a_session_is_confined_to_its_location(config: dict[str, Any], base: str, store: ObjectStore) -> None:
    from botocore.exceptions import ClientError

    session = Storage().session(config, base)
    assert session is not None
    client = _client(store, session)
    key = base.removeprefix(f"s3://{BUCKET}/")
    client.put_object(Bucket=BUCKET, Key=f"{key}/data/x", Body=b"x")
    for outside in (f"{key}-other/x", "x"):
        with pytest.raises(ClientError, match="AccessDenied"):
            client.put_object(Bucket=BUCKET, Key=outside, Body=b"x")


def test_a_session_is_kept_until_it_ends(config: dict[str, Any], base: str) -> None:
    storage = Storage()
    assert storage.session(config, base) is storage.session(config, base)
    assert storage.session(config, f"{base}2") != storage.session(config, base)
    assert storage.session({**config, "stsUnavailable": True}, base) is None


def test_a_missing_bucket_is_named_and_not_made(config: dict[str, Any]) -> None:
    location = f"s3://no-such-{secrets.token_hex(4)}/t"
    for _ in range(2):
        with pytest.raises(ApiError) as caught:
            Storage().check_bucket(config, location)
        assert (caught.value.status, caught.value.kind) == (400, "NoSuchBucketException")


def test_a_store_that_is_down_is_tried_again_and_then_named(
    config: dict[str, Any], base: str, store: ObjectStore
) -> None:
    proxy = Proxy(store.port)
    through = {**config, "endpoint": f"http://{proxy.address}"}
    storage = Storage()
    storage.write(through, base, f"{base}/x", b"x")
    proxy.set_open(is_open=False)
    with pytest.raises(ApiError) as caught:
        storage.read(through, base, f"{base}/x")
    assert caught.value.status == 500
    assert f"Connect to {proxy.address}" in caught.value.message
    with pytest.raises(ApiError) as caught:
        storage.session(through, f"{base}-new")
    assert caught.value.status == 422
    proxy.set_open(is_open=True)
    assert storage.read(through, base, f"{base}/x") == b"x"


def test_refused_keys_are_no_failure_of_the_server(
    config: dict[str, Any], base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    # The default session has the right keys by now.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(ApiError) as caught:
        Storage().write({**config, "stsUnavailable": True}, base, f"{base}/x", b"x")
    assert caught.value.status == 403
