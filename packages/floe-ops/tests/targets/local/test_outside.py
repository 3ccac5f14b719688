from __future__ import annotations

import pytest
from floe_core.errors import UsageError
from floe_ops.targets.local import outside

OWN = {"polaris": "http://127.0.0.1:8181", "s3": "http://127.0.0.1:9000"}


def test_nothing_is_outside_by_default() -> None:
    assert outside.read({}, OWN) == outside.Outside()


def test_the_platforms_own_endpoints_are_not_outside() -> None:
    told = {"FLOE_POLARIS_URL": OWN["polaris"] + "/", "AWS_ENDPOINT_URL_S3": OWN["s3"]}
    assert outside.read(told, OWN).services == set()


def test_a_remote_catalog_with_a_store_of_ours() -> None:
    found = outside.read({"FLOE_POLARIS_URL": "https://polaris.example:8443/base/"}, OWN)
    assert found.services == {"polaris"}
    assert found.urls["polaris"] == "https://polaris.example:8443/base"
    assert found.urls["polaris-management"] == "https://polaris.example:8182"
    assert found.secrets["polaris-client-id"] == "root"


def test_a_remote_store_needs_its_keys_and_never_shows_them() -> None:
    told = {
        "FLOE_POLARIS_URL": "http://p:8181",
        "AWS_ENDPOINT_URL_S3": "http://minio:9000",
        "AWS_ACCESS_KEY_ID": "AKHIDDEN",
        "AWS_SECRET_ACCESS_KEY": "SKHIDDEN",  # nosec B105 - planted
    }
    found = outside.read(told, OWN)
    assert found.services == {"polaris", "s3"}
    assert found.secrets["s3-secret-key"] == "SKHIDDEN"
    assert "HIDDEN" not in repr(found)
    with pytest.raises(UsageError, match="without its keys") as caught:
        outside.read(told | {"AWS_SECRET_ACCESS_KEY": ""}, OWN)
    assert caught.value.why == "AWS_SECRET_ACCESS_KEY not set"


def test_a_store_alone_is_none_of_our_business() -> None:
    assert outside.read({"AWS_ENDPOINT_URL_S3": "http://minio:9000"}, OWN).services == set()


@pytest.mark.parametrize(
    "url", ["polaris:8181", "http://", "ftp://polaris", "http://user:pw@polaris:8181", "http://a b", "http://p:999999"]
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        outside.read({"FLOE_POLARIS_URL": url}, OWN)


def test_the_digest_follows_urls_and_secrets() -> None:
    told = {"FLOE_POLARIS_URL": "http://p:8181", "POLARIS_CLIENT_SECRET": "one"}
    first = outside.read(told, OWN)
    assert first.digest() == outside.read(told, OWN).digest()
    assert first.digest() != outside.read(told | {"POLARIS_CLIENT_SECRET": "two"}, OWN).digest()
    assert first.digest() != outside.read(told | {"FLOE_POLARIS_URL": "http://q:8181"}, OWN).digest()
