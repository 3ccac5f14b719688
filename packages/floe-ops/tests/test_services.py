from __future__ import annotations

import pytest
from floe_core.errors import UsageError
from floe_ops.services import CLUSTER, LOCAL, on_demand, services, started
from floe_ops.targets.local import LocalTarget


def test_the_local_target_starts_what_exists_on_it() -> None:
    assert LocalTarget.name == LOCAL
    assert list(started(LOCAL)) == ["s3", "polaris", "otel", "jaeger"]


def test_dagster_is_started_on_demand_on_this_machine_and_always_in_a_cluster() -> None:
    assert "dagster" in services(LOCAL)
    assert on_demand(LOCAL, ["dagster", "s3"]) == ["dagster"]
    assert on_demand(CLUSTER, ["dagster"]) == []
    assert list(started(CLUSTER)) == list(services(CLUSTER))
    with pytest.raises(UsageError, match="no service named 'cube' on the target local"):
        on_demand(LOCAL, ["cube"])


def test_every_service_exists_on_the_cluster_and_on_known_targets_only() -> None:
    assert list(services(CLUSTER)) == list(services())
    assert {target for service in services().values() for target in service.targets} == {LOCAL, CLUSTER}


def test_an_endpoint_name_belongs_to_one_service_and_health_to_one_of_its_ports() -> None:
    endpoints = [port for service in services().values() for port in service.ports]
    assert len(endpoints) == len(set(endpoints))
    assert all(service.health_port in service.ports for service in services().values())


def test_the_object_store_is_another_program_in_the_cluster_and_answers_health_elsewhere() -> None:
    assert services(LOCAL)["s3"].health_path == "/healthz"
    assert services(CLUSTER)["s3"].health_path == "/minio/health/ready"
    assert services(CLUSTER)["otel"] == services(LOCAL)["otel"]


def test_a_component_is_told_by_its_label() -> None:
    components = {name: service.component for name, service in services().items()}
    assert components["s3"] == "object-store"
    assert components["dagster"] == "dagster-webserver"
    assert components["cube"] == "cube-api"
    assert len(set(components.values())) == len(components)
