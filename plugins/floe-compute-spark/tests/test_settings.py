"""What a profile says in Spark's words; Spark itself takes them in `invoke dbt.spark`."""

from __future__ import annotations

from typing import Any

import pytest
from floe_compute_spark import settings

CATALOG = {"uri": "http://polaris:8181", "warehouse": "w", "client_id": "root", "client_secret": "s3cr3t", "scope": "S"}  # nosec B105 - planted or a reference
STORAGE = {"endpoint": "http://s3:9000", "region": "eu-1", "access_key": "k", "secret_key": "v", "path_style": True}


def session(catalog: dict[str, Any] | None = None, storage: dict[str, Any] | None = None) -> dict[str, str]:
    said = settings.of_session({**CATALOG, **(catalog or {})}, STORAGE if storage is None else storage)
    return {name.removeprefix("spark.sql.catalog.ice."): value for name, value in said.items()}


@pytest.mark.parametrize("uri", ["http://polaris:8181", "http://polaris:8181/", "http://polaris:8181/api/catalog"])
def test_the_catalog_is_signed_in_to(uri: str) -> None:
    said = session({"uri": uri})
    assert said["uri"] == "http://polaris:8181/api/catalog"
    assert said["oauth2-server-uri"] == "http://polaris:8181/api/catalog/v1/oauth/tokens"
    assert said["credential"] == "root:s3cr3t"
    assert said["spark.sql.defaultCatalog"] == "ice"
    assert "header.Polaris-Realm" not in said


def test_a_realm_is_named_where_there_is_one() -> None:
    assert session({"realm": "R"})["header.Polaris-Realm"] == "R"


def test_a_store_without_keys_leaves_them_to_the_provider() -> None:
    said = session(storage={"region": "eu-1", "path_style": False})
    assert said["s3.path-style-access"] == "false"
    assert {"s3.endpoint", "s3.access-key-id", "s3.secret-access-key"}.isdisjoint(said)


def test_values_are_counted_as_in_the_other_lanes() -> None:
    said = session()
    assert said["spark.sql.session.timeZone"] == "UTC"
    assert said["spark.sql.timestampType"] == "TIMESTAMP_NTZ"
    assert said["spark.sql.ansi.enabled"] == "true"


def test_a_driver_is_started_without_secrets_and_for_this_machine_only() -> None:
    started = settings.of_driver(master="local[2]", memory="1g", jars="a.jar", packages="")
    assert started["spark.driver.host"] == "127.0.0.1"
    assert started["spark.sql.shuffle.partitions"] == "8"
    assert started["spark.ui.enabled"] == "false"
    assert "spark.jars.packages" not in started
    assert not any("catalog.ice" in name for name in started)
    cluster = settings.of_driver(master="spark://a:7077", memory="1g", jars="", packages="")
    assert {"spark.driver.host", "spark.sql.shuffle.partitions", "spark.jars"}.isdisjoint(cluster)
