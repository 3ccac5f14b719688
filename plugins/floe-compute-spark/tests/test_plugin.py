"""The compute plugin `spark`, held to the contract; what Spark makes of its target is proved by `invoke dbt.spark`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from floe_compute_spark.plugin import JARS_ENV, SparkComputePlugin, SparkConfig
from floe_core.plugins import CatalogAddress, Lane, LaneNotSupportedError, StorageAddress, TargetRequest
from floe_core.testing import ComputeConformance
from pydantic import ValidationError

CATALOG = CatalogAddress(
    uri="{{ env_var('FLOE_POLARIS_URL') }}",
    warehouse="floe-e2e",
    client_id="root",
    client_secret="{{ env_var('POLARIS_CLIENT_SECRET') }}",  # noqa: S106 - a reference
    scope="PRINCIPAL_ROLE:ALL",
)
STORAGE = StorageAddress(
    endpoint="http://127.0.0.1:9000",
    region="us-east-1",
    access_key="{{ env_var('AWS_ACCESS_KEY_ID') }}",  # nosec B105 - planted or a reference
    secret_key="{{ env_var('AWS_SECRET_ACCESS_KEY') }}",  # noqa: S106 - a reference
)
SPARK_TOKEN = "{{ env_var('SPARK_TOKEN') }}"  # noqa: S105 - a reference


def target(lane: Lane = Lane.ICEBERG, **config: Any) -> dict[str, Any]:
    asked = TargetRequest("order-book", lane, CATALOG, STORAGE)
    return SparkComputePlugin(SparkConfig.model_validate(config)).dbt_target(asked)


class TestConformance(ComputeConformance):
    @pytest.fixture
    def plugin(self) -> SparkComputePlugin:
        config = {"connect_token": {"env": "SPARK_TOKEN"}, "secrets": {"spark.x.y": {"env": "SPARK_Y"}}}
        return SparkComputePlugin(SparkConfig.model_validate(config))


def test_a_driver_of_our_own_by_default() -> None:
    made = target()
    assert made["master"] == "local[2]"
    assert made["namespace"] == "order_book"
    assert made["jars"] == f"{{{{ env_var('{JARS_ENV}', '') }}}}"
    assert made["views"] == "tables"
    assert "connect" not in made


def test_the_catalog_and_the_store_are_told_by_reference() -> None:
    made = target()
    assert made["catalog"]["client_secret"] == CATALOG.client_secret
    assert made["storage"] == {
        "endpoint": "http://127.0.0.1:9000",
        "region": "us-east-1",
        "access_key": "{{ env_var('AWS_ACCESS_KEY_ID') }}",  # nosec B105 - planted or a reference
        "secret_key": "{{ env_var('AWS_SECRET_ACCESS_KEY') }}",  # nosec B105 - planted or a reference
        "path_style": True,
    }


def test_a_server_has_its_own_driver() -> None:
    made = target(connect="sc://spark:15002", connect_token={"env": "SPARK_TOKEN"}, memory="8g")
    assert made["connect"] == "sc://spark:15002"
    assert made["connect_token"] == SPARK_TOKEN
    assert {"master", "memory", "jars", "packages"}.isdisjoint(made)


def test_settings_and_jars_reach_the_target() -> None:
    made = target(
        master="k8s://https://kubernetes.default.svc:443",
        jars=["local:///opt/a.jar", "s3a://b/c.jar"],
        packages=["org.apache.iceberg:iceberg-aws-bundle:1.11.0"],
        settings={"spark.executor.instances": "4"},
        secrets={"spark.authenticate.secret": {"env": "SPARK_SECRET"}},
    )
    assert made["jars"] == "local:///opt/a.jar,s3a://b/c.jar"
    assert made["packages"] == "org.apache.iceberg:iceberg-aws-bundle:1.11.0"
    assert made["settings"] == {"spark.executor.instances": "4"}
    assert made["secret_settings"] == {"spark.authenticate.secret": "{{ env_var('SPARK_SECRET') }}"}


def test_the_lane_of_files_is_refused() -> None:
    with pytest.raises(LaneNotSupportedError, match="in the lane duckdb"):
        target(Lane.DUCKDB)


@pytest.mark.parametrize("missing", [(None, STORAGE), (CATALOG, None)])
def test_without_a_catalog_or_a_store_there_is_no_lane(missing: tuple[Any, Any]) -> None:
    with pytest.raises(LaneNotSupportedError, match="order-book"):
        SparkComputePlugin(SparkConfig()).dbt_target(TargetRequest("order-book", Lane.ICEBERG, *missing))


@pytest.mark.parametrize(
    "master", ["local", "local[*]", "yarn", "spark://a:7077,b:7077", "k8s://https://10.0.0.1:6443"]
)
def test_masters_that_spark_knows_are_taken(master: str) -> None:
    assert target(master=master)["master"] == master


@pytest.mark.parametrize(
    "config",
    [
        {"master": "local[0]"},
        {"master": "spark://nowhere"},
        {"master": "mesos://a:1"},
        {"connect": "http://a:15002"},
        {"connect": "sc://a:15002/;token=abc"},
        {"memory": "lots"},
        {"threads": 0},
        {"jars": ["a.jar,b.jar"]},
        {"packages": ["iceberg"]},
        {"settings": {"hive.x": "1"}},
        {"settings": {"spark.hadoop.fs.s3a.secret.key": "abc"}},
        {"settings": {"spark.a": "{{ env_var('X') }}"}},
        {"secrets": {"spark.a.secret": "abc"}},
        {"views": "temporary"},
        {"mastre": "local"},
    ],
)
def test_settings_that_mean_nothing_or_hold_a_secret_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SparkConfig.model_validate(config)


def test_no_literal_secret_reaches_a_target() -> None:
    assert "abc" not in json.dumps(target(secrets={"spark.authenticate.secret": {"env": "SPARK_SECRET"}}))
