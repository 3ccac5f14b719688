"""The wait against servers that start, hang, refuse, serve something else, or never come."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.errors import (
    CredentialsRefusedError,
    ExitCode,
    FloeError,
    MissingToolError,
    NotReadyError,
    UsageError,
    WrongStateError,
)
from floe_ops.readiness import Ready, Terms, wait
from floe_ops.warehouse import Warehouse
from polaris_standin.scripted import Reply, ScriptedServer, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

HEALTH = "GET /q/health/ready"
TOKENS = "POST /api/catalog/v1/oauth/tokens"
CATALOG = "GET /api/management/v1/catalogs/floe-e2e"
REFUSED = Reply(401, {"error": "unauthorized_client", "error_description": "The client is not authorized"})
GIVEN = Reply(body={"access_token": "t", "token_type": "bearer", "expires_in": 3600})
DOWN = Reply(503, {"status": "DOWN", "checks": []})
UP = Reply(200, {"status": "UP", "checks": []})
MISSING = Reply(404, {"error": {"message": "CATALOG does not exist: floe-e2e", "type": "NotFoundException"}})


def served(**storage: Any) -> Reply:
    return Reply(
        body={
            "name": "floe-e2e",
            "type": "INTERNAL",
            "properties": {"default-base-location": "s3://floe-iceberg"},
            "storageConfigInfo": {
                "storageType": "S3",
                "pathStyleAccess": True,
                "stsUnavailable": True,
                "endpoint": "http://127.0.0.1:9000",
                "region": "us-east-1",
                **storage,
            },
        }
    )


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer({HEALTH: UP, TOKENS: GIVEN, CATALOG: served()}) as running:
        yield running


@pytest.fixture
def warehouse(server: ScriptedServer) -> Warehouse:
    return Warehouse(
        server.url,
        server.url,
        client_id="root",
        client_secret="planted-secret",  # noqa: S106 - planted, to be looked for
        s3_endpoint="http://127.0.0.1:9000",
        source="a test",
    )


def ready(warehouse: Warehouse, timeout_s: float = 10, **terms: Any) -> Ready:
    return wait(lambda: warehouse, Terms(timeout_s, **terms))


def failed(warehouse: Warehouse, timeout_s: float = 0.5) -> FloeError:
    with pytest.raises(FloeError) as caught:
        wait(lambda: warehouse, Terms(timeout_s))
    assert "planted-secret" not in str(caught.value)
    return caught.value


@pytest.mark.requirement("WU1-AC3")
def test_is_ready_when_the_right_catalog_is_served(warehouse: Warehouse) -> None:
    result = ready(warehouse)
    assert result.looks == 1
    assert "base location s3://floe-iceberg" in result.answers["catalog"]


@pytest.mark.requirement("WU1-AC3")
def test_readiness_is_seen_within_100_ms(server: ScriptedServer, warehouse: Warehouse) -> None:
    """The best of five: the rest is the machine's other work."""
    latencies = []
    for _ in range(5):
        server.script[HEALTH] = DOWN
        begun: list[float] = []

        def come_up(begun: list[float] = begun) -> None:
            begun.append(time.monotonic())
            server.script[HEALTH] = UP

        timer = threading.Timer(0.33, come_up)
        timer.start()
        ready(warehouse)
        latencies.append(time.monotonic() - begun[0])
        timer.join()
    assert min(latencies) < 0.1, latencies


@pytest.mark.requirement("WU8-AC1")
@pytest.mark.parametrize("answer", [DOWN, Reply(401), Reply(204), Reply(404, "<html>"), Reply(302)])
def test_only_200_is_healthy(server: ScriptedServer, warehouse: Warehouse, answer: Reply) -> None:
    server.script[HEALTH] = answer
    error = failed(warehouse)
    assert isinstance(error, NotReadyError)
    assert error.exit_code == ExitCode.TIMEOUT
    assert f"health: HTTP {answer.status}" in error.why
    assert "token: not asked" in error.why
    assert server.count("POST", "/api/catalog/v1/oauth/tokens") == 0


def test_a_connection_that_is_refused_until_the_deadline() -> None:
    start = time.monotonic()
    error = failed(Warehouse("http://127.0.0.1:1", None, source="a test"), 0.4)
    assert time.monotonic() - start < 10
    assert error.exit_code == ExitCode.TIMEOUT
    assert "connection refused" in error.why
    assert "credentials: none" in error.why
    assert "invoke platform.up" in error.remedy


@pytest.mark.parametrize("answer", [Reply(wait_s=30), Reply(200, "x" * 1000, drip_s=0.1), Reply(0)])
@pytest.mark.parametrize("probe", [HEALTH, TOKENS, CATALOG])
def test_a_server_that_does_not_answer_whole_never_holds_the_wait(
    server: ScriptedServer, warehouse: Warehouse, probe: str, answer: Reply
) -> None:
    server.script[probe] = answer
    start = time.monotonic()
    error = failed(warehouse, 0.4)
    assert time.monotonic() - start < 10
    assert error.exit_code == ExitCode.TIMEOUT


@pytest.mark.requirement("WU1-BC4")
def test_refused_credentials_end_it_at_once(server: ScriptedServer, warehouse: Warehouse) -> None:
    server.script[TOKENS] = REFUSED
    start = time.monotonic()
    error = failed(warehouse, 30)
    assert time.monotonic() - start < 5
    assert isinstance(error, CredentialsRefusedError)
    assert "'root'" in error.what
    assert server.url in error.where


def test_a_refusal_while_the_server_starts_is_not_believed(server: ScriptedServer, warehouse: Warehouse) -> None:
    server.script[HEALTH] = [DOWN, DOWN, UP]
    server.script[TOKENS] = lambda _seen: GIVEN if server.count("GET", "/q/health/ready") > 2 else REFUSED
    assert ready(warehouse).looks == 3


@pytest.mark.requirement("WU1-AC3")
def test_a_wrong_catalog_ends_it_at_once_with_the_difference(server: ScriptedServer, warehouse: Warehouse) -> None:
    server.script[CATALOG] = served(endpoint="http://127.0.0.1:9001", pathStyleAccess=False)
    start = time.monotonic()
    error = failed(warehouse, 30)
    assert time.monotonic() - start < 5
    assert isinstance(error, WrongStateError)
    assert error.exit_code == ExitCode.WRONG
    assert "endpoint: wanted http://127.0.0.1:9000, is http://127.0.0.1:9001" in error.why
    assert "path style: wanted true, is false" in error.why


def test_a_missing_catalog_is_not_yet_there(server: ScriptedServer, warehouse: Warehouse) -> None:
    server.script[CATALOG] = MISSING
    error = failed(warehouse)
    assert error.exit_code == ExitCode.TIMEOUT
    assert "no catalog 'floe-e2e'" in error.why
    assert "polaris.bootstrap" in error.remedy
    server.script[CATALOG] = [MISSING, MISSING, served()]
    server._turns.clear()
    assert ready(warehouse).looks == 3


def test_a_forbidden_catalog_is_a_refusal_at_the_deadline(server: ScriptedServer, warehouse: Warehouse) -> None:
    server.script[CATALOG] = Reply(403, {"error": {"message": "not authorized for op GET_CATALOG", "type": "F"}})
    error = failed(warehouse)
    assert error.exit_code == ExitCode.REFUSED
    assert server.count("GET", "/api/management/v1/catalogs/floe-e2e") > 2


def test_no_platform_until_the_deadline() -> None:
    with pytest.raises(MissingToolError, match=r"platform\.up") as caught:
        wait(lambda: None, Terms(0.3))
    assert caught.value.exit_code == ExitCode.MISSING


def test_a_platform_that_comes_up_and_moves_is_followed(warehouse: Warehouse) -> None:
    dead = replace(warehouse, url="http://127.0.0.1:1", management_url="http://127.0.0.1:1")
    found = iter([None, dead, dead, warehouse])
    assert wait(lambda: next(found), Terms(10)).url == warehouse.url


def test_a_healthy_server_without_credentials_is_a_usage_error(warehouse: Warehouse) -> None:
    with pytest.raises(UsageError, match="POLARIS_CLIENT_ID"):
        ready(replace(warehouse, client_secret=""))


def test_a_streak_starts_again_after_a_bad_look(server: ScriptedServer, warehouse: Warehouse) -> None:
    server.script[CATALOG] = [served(), served(), MISSING, served(), served(), served()]
    result = ready(warehouse, streak=3)
    assert (result.looks, result.streak) == (6, 3)


def test_what_is_waited_for_is_told_when_it_changes(server: ScriptedServer, warehouse: Warehouse) -> None:
    server.script[HEALTH] = [DOWN, DOWN, DOWN, UP]
    server.script[CATALOG] = [MISSING, MISSING, served()]
    lines: list[str] = []
    wait(lambda: warehouse, Terms(10), lines.append)
    assert [line.split(":")[0] for line in lines] == ["waiting for health", "waiting for catalog"]


def test_before_a_bootstrap_the_catalog_is_not_asked_for(server: ScriptedServer, warehouse: Warehouse) -> None:
    server.script[CATALOG] = MISSING
    ready(warehouse, with_catalog=False)
    assert server.count("GET", "/api/management/v1/catalogs/floe-e2e") == 0


def test_a_token_that_expires_between_looks_is_fetched_again(server: ScriptedServer, warehouse: Warehouse) -> None:
    """The stand-in for a server that restarted: tokens of before are refused with an empty 401."""
    given: list[str] = []

    def token(_seen: Seen) -> Reply:
        given.append(f"t{len(given)}")
        return Reply(body={"access_token": given[-1], "token_type": "bearer", "expires_in": 3600})

    server.script[TOKENS] = token
    server.script[CATALOG] = lambda seen: (
        served() if len(given) > 1 and seen.headers["Authorization"] == f"Bearer {given[-1]}" else Reply(401)
    )
    assert ready(warehouse).looks == 1
    assert len(given) == 2


def test_an_error_of_the_lookup_comes_through() -> None:
    def find() -> Warehouse | None:
        raise UsageError("there is no target named 'x'")

    with pytest.raises(UsageError, match="'x'"):
        wait(find, Terms(5))
