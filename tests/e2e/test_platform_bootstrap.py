"""Health by the management port: ready is HTTP 200 exactly, and nothing else is (T42, T43)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import requests
from floe_core.errors import NotReadyError
from floe_ops import readiness, targets, warehouse
from floe_ops.services import services, started

if TYPE_CHECKING:
    from floe_ops.targets import Platform

pytestmark = pytest.mark.platform
LIMIT_S = 10


@pytest.mark.requirement("WU8-AC1")
def test_ready_is_200_on_the_management_port(endpoints: dict[str, str]) -> None:
    answer = requests.get(f"{endpoints['polaris-management']}/q/health/ready", timeout=LIMIT_S)
    assert answer.status_code == 200
    assert answer.json()["status"] == "UP"


@pytest.mark.requirement("WU8-AC1")
def test_what_the_api_port_answers_is_not_readiness(platform: Platform) -> None:
    """It says 404 to the health path and 401 to an anonymous client: an answer, and not ready."""
    api = platform.urls["polaris"]
    assert requests.get(f"{api}/q/health/ready", timeout=LIMIT_S).status_code == 404
    assert requests.get(f"{api}/api/catalog/v1/config", timeout=LIMIT_S).status_code == 401
    misled = replace(warehouse.of_platform(platform), management_url=api)
    with pytest.raises(NotReadyError, match="health: HTTP 404"):
        readiness.wait(lambda: misled, readiness.Terms(0.5))


@pytest.mark.requirement("WU8-AC2")
def test_the_gate_asks_the_management_endpoint_of_the_target(platform: Platform) -> None:
    """With that endpoint dead, and everything else well, the gate stays shut."""
    wanted = warehouse.of_platform(platform)
    assert wanted.management_url == platform.urls["polaris-management"]
    ready = readiness.wait(lambda: wanted, readiness.Terms(LIMIT_S, streak=3))
    assert f"{wanted.management_url}/q/health/ready" in ready.answers["health"]
    shut = replace(wanted, management_url="http://127.0.0.1:1")
    with pytest.raises(NotReadyError, match="connection refused"):
        readiness.wait(lambda: shut, readiness.Terms(0.5))


@pytest.mark.requirement("WU8-AC1")
@pytest.mark.parametrize("name", sorted(started(targets.current().name)))
def test_every_service_is_healthy_where_services_toml_says(endpoints: dict[str, str], name: str) -> None:
    service = services(targets.current().name)[name]
    answer = requests.get(f"{endpoints[service.health_port]}{service.health_path}", timeout=LIMIT_S)
    assert answer.status_code == 200
