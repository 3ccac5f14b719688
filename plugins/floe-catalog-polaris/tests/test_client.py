"""The client against a server that answers as Apache Polaris 1.4.1 was recorded, and against broken ones."""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from floe_catalog_polaris.client import PolarisClient
from floe_catalog_polaris.errors import (
    PolarisAnswerError,
    PolarisForbiddenError,
    PolarisUnavailableError,
    PolarisUnreachableError,
)
from floe_catalog_polaris.models import CatalogSpec, Grant
from floe_core.errors import CredentialsRefusedError, ExitCode
from polaris_standin.scripted import Reply

if TYPE_CHECKING:
    from polaris_standin.scripted import ScriptedServer

TOKENS = "POST /api/catalog/v1/oauth/tokens"
CATALOGS = "/api/management/v1/catalogs"
SPEC = CatalogSpec("floe-e2e", "s3://floe-iceberg/e2e", endpoint="http://127.0.0.1:19000", region="us-east-1")
CATALOG: dict[str, Any] = {
    "type": "INTERNAL",
    "name": "floe-e2e",
    "properties": {"default-base-location": "s3://floe-iceberg/e2e"},
    "createTimestamp": 1795429796161,
    "entityVersion": 1,
    "storageConfigInfo": {
        "allowedKmsKeys": [],
        "region": "us-east-1",
        "endpoint": "http://127.0.0.1:19000",
        "stsUnavailable": True,
        "pathStyleAccess": True,
        "storageType": "S3",
        "allowedLocations": ["s3://floe-iceberg/e2e/", "s3://floe-iceberg/e2e"],
    },
}
MISSING = {"message": "TopLevelEntity of type CATALOG does not exist: nope", "type": "NotFoundException", "code": 404}
EXISTS = {"message": "Cannot create Catalog floe-e2e.", "type": "AlreadyExistsException", "code": 409}
UNAUTHORIZED_CLIENT = {"error": "unauthorized_client", "error_description": "The client is not authorized"}


def reply(status: int, body: Any = None) -> Reply:
    return Reply(status, body if body is None or "error" in body else {"error": body})


class TestToken:
    def test_credentials_travel_in_the_form_body(
        self, client: PolarisClient, server: ScriptedServer, secret: str
    ) -> None:
        assert client.token() == "token-1"
        request = server.seen[0]
        assert "?" not in request.path
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert request.body.decode() == (
            f"grant_type=client_credentials&client_id=root&client_secret={secret}&scope=PRINCIPAL_ROLE%3AALL"
        )

    def test_is_kept_until_it_is_old(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script[f"GET {CATALOGS}"] = Reply(body={"catalogs": []})
        client.catalogs()
        client.catalogs()
        assert len([seen for seen in server.seen if seen.method == "POST"]) == 1

    def test_a_short_life_is_renewed_before_its_end(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script[TOKENS] = [
            Reply(body={"access_token": f"token-{turn}", "token_type": "bearer", "expires_in": 0.02}) for turn in (1, 2)
        ]
        first = client.token()
        deadline = time.monotonic() + 2
        while client.token() == first and time.monotonic() < deadline:
            server.pause(0.005)
        assert client.token() == "token-2"

    def test_fresh_fetches_anew(self, client: PolarisClient, server: ScriptedServer) -> None:
        client.token()
        client.token(fresh=True)
        assert len(server.seen) == 2

    @pytest.mark.requirement("WU1-BC4")
    @pytest.mark.parametrize(
        ("status", "body"),
        [(401, UNAUTHORIZED_CLIENT), (401, None), (400, {"error": "invalid_client", "error_description": ""})],
    )
    def test_refused_credentials_name_client_and_endpoint_never_the_secret(
        self, client: PolarisClient, server: ScriptedServer, secret: str, status: int, body: Any
    ) -> None:
        server.script[TOKENS] = Reply(status, body)
        with pytest.raises(CredentialsRefusedError) as caught:
            client.token()
        said = str(caught.value)
        assert "'root'" in said
        assert f"{server.url}/api/catalog/v1/oauth/tokens" in said
        assert secret not in said + repr(caught.value)
        assert caught.value.exit_code == ExitCode.REFUSED
        assert len(server.seen) == 1, "refused credentials are not tried again"

    def test_a_server_that_echoes_the_secret_does_not_print_it(
        self, client: PolarisClient, server: ScriptedServer, secret: str
    ) -> None:
        server.script[TOKENS] = Reply(401, {"error": "unauthorized_client", "error_description": f"not {secret}"})
        with pytest.raises(CredentialsRefusedError, match=r"not \*\*\*"):
            client.token()

    @pytest.mark.parametrize("body", [{}, {"access_token": "", "token_type": "bearer"}, "no json", [1], None])
    def test_an_answer_without_a_token_is_no_token(
        self, client: PolarisClient, server: ScriptedServer, body: Any
    ) -> None:
        server.script[TOKENS] = Reply(200, body)
        with pytest.raises(PolarisAnswerError) as caught:
            client.token()
        assert caught.value.__cause__ is None, "the cause would repeat the answer"

    def test_a_wrong_scope_and_realm_are_named(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script[TOKENS] = Reply(400, {"error": "invalid_scope", "error_description": "The scope is invalid"})
        with pytest.raises(PolarisAnswerError, match="scope"):
            client.token()
        server.script[TOKENS] = reply(404, {"message": "Missing or invalid realm", "type": "MissingOrInvalidRealm"})
        with pytest.raises(PolarisAnswerError, match="POLARIS_REALM"):
            client.token()


class TestSecrets:
    def test_do_not_show_in_any_repr(self, client: PolarisClient, secret: str) -> None:
        client.token()
        shown = repr(client) + repr(client.__dict__) + repr(client._tokens.__dict__)
        assert secret not in shown
        assert "token-1" not in shown


class TestOldToken:
    def test_a_token_that_the_server_forgot_is_renewed_once(
        self, client: PolarisClient, server: ScriptedServer
    ) -> None:
        server.script[TOKENS] = [
            Reply(body={"access_token": f"token-{turn}", "token_type": "bearer"}) for turn in (1, 2)
        ]
        server.script[f"GET {CATALOGS}"] = [Reply(401), Reply(body={"catalogs": []})]
        assert client.catalogs() == ()
        bearers = [seen.headers["Authorization"] for seen in server.seen if seen.method == "GET"]
        assert bearers == ["Bearer token-1", "Bearer token-2"]

    def test_refused_again_is_an_error(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script[f"GET {CATALOGS}"] = Reply(401)
        with pytest.raises(CredentialsRefusedError, match="'root'"):
            client.catalogs()


class TestCatalogs:
    def test_is_read_by_value(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script[f"GET {CATALOGS}/floe-e2e"] = Reply(body=CATALOG)
        seen = client.catalog("floe-e2e")
        assert seen is not None
        assert (seen.name, seen.base_location, seen.storage.endpoint) == (
            "floe-e2e",
            "s3://floe-iceberg/e2e",
            "http://127.0.0.1:19000",
        )
        assert SPEC.differences(seen) == ()

    def test_a_missing_one_is_none(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script[f"GET {CATALOGS}/nope"] = reply(404, MISSING)
        assert client.catalog("nope") is None

    @pytest.mark.parametrize(
        "answer",
        [
            reply(404, {"message": "HTTP 404 Not Found", "type": "NotFoundException"}),
            reply(404, {"message": "Missing or invalid realm", "type": "MissingOrInvalidRealm"}),
            Reply(404, "<html><body><h1>Resource not found</h1></body></html>"),
            Reply(200, "<html>welcome</html>"),
            Reply(200, {"name": "floe-e2e"}),
            Reply(302, None, {"Location": "http://127.0.0.1:1/"}),
        ],
        ids=["unknown path", "realm", "html", "other server", "half a catalog", "redirect"],
    )
    def test_what_is_no_polaris_is_never_a_missing_catalog(
        self, client: PolarisClient, server: ScriptedServer, answer: Reply
    ) -> None:
        server.script[f"GET {CATALOGS}/nope"] = answer
        with pytest.raises(PolarisAnswerError):
            client.catalog("nope")

    def test_names_stay_one_segment_of_the_path(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script["*"] = reply(404, MISSING)
        client.catalog("a/../b c?")
        assert server.seen[-1].path == f"{CATALOGS}/a%2F..%2Fb%20c%3F"

    def test_create_sends_the_nested_body(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script[f"POST {CATALOGS}"] = Reply(201, CATALOG)
        assert client.create_catalog(SPEC) is True
        assert json.loads(server.seen[-1].body) == {
            "catalog": {
                "name": "floe-e2e",
                "type": "INTERNAL",
                "properties": {"default-base-location": "s3://floe-iceberg/e2e"},
                "storageConfigInfo": {
                    "storageType": "S3",
                    "allowedLocations": ["s3://floe-iceberg/e2e/"],
                    "endpoint": "http://127.0.0.1:19000",
                    "region": "us-east-1",
                    "pathStyleAccess": True,
                    "stsUnavailable": True,
                },
            }
        }

    @pytest.mark.requirement("WU1-BC1")
    def test_409_says_that_it_is_there(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script[f"POST {CATALOGS}"] = reply(409, EXISTS)
        assert client.create_catalog(SPEC) is False

    def test_403_is_a_refusal_with_the_servers_words(self, client: PolarisClient, server: ScriptedServer) -> None:
        said = "Principal 'p' is not authorized for op GET_CATALOG"
        server.script[f"GET {CATALOGS}/x"] = reply(403, {"message": said, "type": "ForbiddenException"})
        with pytest.raises(PolarisForbiddenError, match="GET_CATALOG") as caught:
            client.catalog("x")
        assert caught.value.exit_code == ExitCode.REFUSED


class TestGrants:
    PATH = f"{CATALOGS}/floe-e2e/catalog-roles/floe_rw/grants"

    def test_a_grant_that_jdbc_persistence_calls_a_duplicate_is_granted(
        self, client: PolarisClient, server: ScriptedServer
    ) -> None:
        said = "Failed due to ERROR: duplicate key value violates unique constraint, errorCode 23505"
        server.script[f"PUT {self.PATH}"] = reply(500, {"message": said, "type": "RuntimeException", "code": 500})
        server.script[f"GET {self.PATH}"] = Reply(
            body={"grants": [{"privilege": "CATALOG_MANAGE_CONTENT", "type": "catalog"}]}
        )
        client.grant_on_catalog("floe-e2e", "floe_rw", "CATALOG_MANAGE_CONTENT")
        assert client.grants("floe-e2e", "floe_rw") == (Grant(type="catalog", privilege="CATALOG_MANAGE_CONTENT"),)

    def test_another_500_is_an_error(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script[f"PUT {self.PATH}"] = reply(500, {"message": "NullPointerException", "type": "x", "code": 500})
        with pytest.raises(PolarisAnswerError, match="HTTP 500"):
            client.grant_on_catalog("floe-e2e", "floe_rw", "CATALOG_MANAGE_CONTENT")

    def test_the_body_is_nested(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script[f"PUT {self.PATH}"] = Reply(201)
        client.grant_on_catalog("floe-e2e", "floe_rw", "CATALOG_MANAGE_CONTENT")
        assert json.loads(server.seen[-1].body) == {"grant": {"type": "catalog", "privilege": "CATALOG_MANAGE_CONTENT"}}


class TestFaults:
    def test_refused_names_the_reason(self) -> None:
        client = PolarisClient("http://127.0.0.1:1", "root", "x", attempts=1)
        with pytest.raises(PolarisUnreachableError, match="connection refused") as caught:
            client.token()
        assert caught.value.exit_code == ExitCode.TIMEOUT
        assert not caught.value.sent

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (Reply(0), "closed before a whole answer"),
            (Reply(200, CATALOG, cut_after=40), "closed before a whole answer"),
            (Reply(200, CATALOG, wait_s=5), "timed out"),
            (Reply(200, CATALOG, drip_s=0.1), "timed out"),
        ],
        ids=["dead", "half", "slow", "dripping"],
    )
    def test_no_whole_answer_ends_in_time(
        self, client: PolarisClient, server: ScriptedServer, answer: Reply, reason: str
    ) -> None:
        server.script[f"GET {CATALOGS}/x"] = answer
        start = time.monotonic()
        with pytest.raises(PolarisUnreachableError, match=reason):
            client.catalog("x")
        assert time.monotonic() - start < 15, "the limit is 2 s in all"

    def test_reading_is_repeated_after_a_cut(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script[f"GET {CATALOGS}/x"] = [Reply(0), Reply(200, CATALOG, cut_after=9), Reply(200, CATALOG)]
        assert client.catalog("x") is not None
        assert server.count("GET", f"{CATALOGS}/x") == 3

    def test_creating_is_not_repeated_once_it_was_sent(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script[f"POST {CATALOGS}"] = Reply(0)
        with pytest.raises(PolarisUnreachableError) as caught:
            client.create_catalog(SPEC)
        assert caught.value.sent
        assert server.count("POST", CATALOGS) == 1

    def test_503_is_repeated_and_then_told(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script[f"GET {CATALOGS}/x"] = Reply(503, "upstream down")
        with pytest.raises(PolarisUnavailableError, match="upstream down"):
            client.catalog("x")
        assert server.count("GET", f"{CATALOGS}/x") == 4
        server.script[f"GET {CATALOGS}/y"] = [Reply(503), Reply(200, CATALOG)]
        assert client.catalog("y") is not None

    def test_an_unknown_host_is_said(self) -> None:
        client = PolarisClient("http://no-such-host.invalid", "root", "x", attempts=1)
        with pytest.raises(PolarisUnreachableError, match="name is not known"):
            client.token()

    def test_a_proxy_in_the_environment_does_not_stand_before_loopback(
        self, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.delenv("NO_PROXY", raising=False)
        with PolarisClient(server.url, "root", "x") as client:
            assert client.token() == "token-1"


class TestHealth:
    def test_is_the_exact_status_of_the_management_port(self, client: PolarisClient, server: ScriptedServer) -> None:
        server.script["GET /q/health/ready"] = Reply(503, {"status": "DOWN", "checks": []})
        seen = client.health()
        assert (seen.status, client.healthy_status) == (503, 200)
        assert "Authorization" not in server.seen[-1].headers

    def test_without_a_management_port_the_api_answers_401(self, server: ScriptedServer) -> None:
        server.script["GET /api/catalog/v1/config"] = Reply(401)
        with PolarisClient(server.url, "root", "x") as client:
            assert client.management_url is None
            assert client.health().status == client.healthy_status == 401


def test_gzip_answers_are_read(client: PolarisClient, server: ScriptedServer) -> None:
    packed = gzip.compress(json.dumps(CATALOG).encode())
    server.script[f"GET {CATALOGS}/floe-e2e"] = Reply(200, packed, {"Content-Encoding": "gzip"})
    assert client.catalog("floe-e2e") is not None


def test_connections_are_kept(client: PolarisClient, server: ScriptedServer) -> None:
    server.script[f"GET {CATALOGS}"] = Reply(body={"catalogs": []})
    for _ in range(3):
        client.catalogs()
    assert len({seen.peer for seen in server.seen}) == 1


def test_the_principal_is_found_by_its_client_id(client: PolarisClient, server: ScriptedServer) -> None:
    server.script["GET /api/management/v1/principals"] = Reply(
        body={"principals": [{"name": "other", "clientId": "x"}, {"name": "admin", "clientId": "root"}]}
    )
    found = client.principal_of("root")
    assert found is not None
    assert found.name == "admin"
