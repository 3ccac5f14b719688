from __future__ import annotations

from dataclasses import replace

import pytest
from floe_core.errors import UsageError
from floe_ops import warehouse
from floe_ops.targets.interface import Platform

PLATFORM = Platform(
    target="local",
    catalog_kind="stand-in",
    urls={
        "polaris": "http://127.0.0.1:18181",
        "polaris-management": "http://127.0.0.1:18182",
        "s3": "http://127.0.0.1:19000",
    },
    secrets={"polaris-client-secret": "platform-secret", "s3-access-key": "platform-key", "s3-secret-key": "s3-secret"},
)
ENVIRONMENT = {
    "FLOE_POLARIS_URL": "http://polaris.test:8181/api/catalog",
    "FLOE_CATALOG": "mine",
    "FLOE_BUCKET": "my-bucket",
    "POLARIS_CLIENT_ID": "me",
    "POLARIS_CLIENT_SECRET": "my-secret",  # nosec B105 - planted
    "AWS_ENDPOINT_URL_S3": "http://s3.test:9000/",
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "my-s3-secret",  # nosec B105 - planted
}


def never() -> Platform | None:
    raise AssertionError("the platform must not be asked for")


def test_the_environment_alone_is_enough() -> None:
    found = warehouse.find(never, ENVIRONMENT)
    assert found is not None
    assert (found.url, found.management_url) == ("http://polaris.test:8181", "http://polaris.test:8182")
    assert (found.catalog, found.location, found.bucket) == ("mine", "s3://my-bucket", "my-bucket")
    assert (found.s3_endpoint, found.region) == ("http://s3.test:9000", "eu-west-1")
    assert found.signs_in


def test_a_management_url_is_taken_as_given_and_never_guessed_for_another_port() -> None:
    named = ENVIRONMENT | {"FLOE_POLARIS_MANAGEMENT_URL": "http://m.test:1234"}
    found = warehouse.find(never, named)
    assert found is not None
    assert found.management_url == "http://m.test:1234"
    found = warehouse.find(never, ENVIRONMENT | {"FLOE_POLARIS_URL": "http://polaris.test:9999"})
    assert found is not None
    assert found.management_url is None


def test_without_a_url_the_running_platform_is_taken() -> None:
    assert warehouse.find(lambda: None, {}) is None
    found = warehouse.find(lambda: PLATFORM, {"POLARIS_CLIENT_SECRET": "other"})  # nosec B105 - planted
    assert found is not None
    assert found.url == "http://127.0.0.1:18181"
    assert found.client_secret == "platform-secret"  # noqa: S105 - planted
    assert "local" in found.source


def test_the_platform_completes_its_own_url_only() -> None:
    own = warehouse.find(lambda: PLATFORM, {"FLOE_POLARIS_URL": "http://127.0.0.1:18181/"})
    assert own is not None
    assert (own.client_secret, own.management_url) == ("platform-secret", "http://127.0.0.1:18182")
    other = warehouse.find(lambda: PLATFORM, {"FLOE_POLARIS_URL": "http://127.0.0.1:8181"})
    assert other is not None
    assert not other.signs_in
    assert not other.s3_secret_key


def test_the_platforms_keys_go_to_no_other_object_store() -> None:
    env = {"FLOE_POLARIS_URL": "http://127.0.0.1:18181", "AWS_ENDPOINT_URL_S3": "http://elsewhere.test"}
    found = warehouse.find(lambda: PLATFORM, env)
    assert found is not None
    assert (found.s3_endpoint, found.s3_secret_key) == ("http://elsewhere.test", "")
    with pytest.raises(UsageError, match="AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"):
        found.object_store()


@pytest.mark.parametrize("name", ["FLOE_POLARIS_URL", "FLOE_POLARIS_MANAGEMENT_URL", "AWS_ENDPOINT_URL_S3"])
def test_a_bad_url_is_named(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        warehouse.find(never, ENVIRONMENT | {name: "http://"})


def test_no_secret_shows(capsys: pytest.CaptureFixture[str]) -> None:
    found = warehouse.find(never, ENVIRONMENT)
    assert found is not None
    print(found, found.client(), found.object_store())  # noqa: T201 - what a log would hold
    shown = capsys.readouterr().out
    assert "my-secret" not in shown
    assert "my-s3-secret" not in shown


def test_without_credentials_there_is_no_client() -> None:
    bare = warehouse.Warehouse("http://127.0.0.1:1", None)
    with pytest.raises(UsageError, match="POLARIS_CLIENT_ID"):
        bare.client()


def test_another_catalog_is_compared_where_a_location_is_given() -> None:
    base = warehouse.of_platform(PLATFORM)
    assert base.named("") is base
    assert base.spec().base_location == "s3://floe-iceberg"
    assert base.spec().endpoint == "http://127.0.0.1:19000"
    other = base.named("other").spec()
    assert (other.name, other.base_location, other.endpoint, other.path_style) == ("other", None, None, None)
    assert base.named("other", "s3://b/x") == replace(base, catalog="other", location="s3://b/x")
    assert base.named("", "s3://b/x").spec().base_location == "s3://b/x"


def test_a_platform_that_takes_its_catalog_from_the_same_variable_is_no_second_source() -> None:
    """The local target adopts FLOE_POLARIS_URL: its guess of a management port must not answer for that server."""
    urls = PLATFORM.urls | {"polaris": "http://127.0.0.1:1", "polaris-management": "http://127.0.0.1:8182"}
    adopted = replace(PLATFORM, catalog_kind="polaris-url", urls=urls)
    found = warehouse.find(lambda: adopted, {"FLOE_POLARIS_URL": "http://127.0.0.1:1"})
    assert found is not None
    assert found.management_url is None
    assert not found.signs_in
    assert found.s3_access_key == "platform-key"


def test_a_catalog_that_knows_its_store_by_another_address_is_compared_with_that_one() -> None:
    told = "http://floe-object-store:9000"
    in_cluster = replace(
        PLATFORM, catalog_s3_endpoint=told, urls=PLATFORM.urls | {"otlp-http": "http://127.0.0.1:14318"}
    )
    found = warehouse.of_platform(in_cluster)
    assert found.spec().endpoint == told
    assert found.object_store().endpoint == "http://127.0.0.1:19000"
    child = warehouse.find(never, in_cluster.environment() | {"POLARIS_CLIENT_SECRET": "x"})
    assert child is not None
    assert (child.spec().endpoint, child.s3_endpoint) == (told, "http://127.0.0.1:19000")
    half = warehouse.find(lambda: in_cluster, {"FLOE_POLARIS_URL": PLATFORM.urls["polaris"]})
    assert half is not None
    assert half.spec().endpoint == told


def test_without_another_address_it_is_compared_with_the_one_in_use() -> None:
    assert warehouse.of_platform(PLATFORM).spec().endpoint == "http://127.0.0.1:19000"
    with_otel = replace(PLATFORM, urls=PLATFORM.urls | {"otlp-http": "http://127.0.0.1:14318"})
    assert "FLOE_CATALOG_S3_ENDPOINT" not in with_otel.environment()
