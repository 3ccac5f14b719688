"""Opening the environment: what is missing or refused is said at once, in words, without a secret."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from dbt.adapters.duckdb_iceberg import extensions, rest
from dbt.adapters.duckdb_iceberg.credentials import DuckDBIcebergCredentials
from dbt.adapters.duckdb_iceberg.environment import IcebergEnvironment
from dbt_common.exceptions import DbtRuntimeError
from floe_core.errors import CredentialsRefusedError, FloeError, MissingToolError, WrongStateError
from polaris_standin.contract.stack import Proxy, free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Bench, Lakehouse

SECRET = "tell-nobody-0815"  # noqa: S105 - planted


def _refused(lakehouse: Lakehouse, folder: Path, **catalog: str) -> FloeError:
    credentials = lakehouse.credentials(folder, "any")
    for name, value in catalog.items():
        setattr(credentials.rest, name, value)
    environment: Any = IcebergEnvironment(credentials)
    began = time.monotonic()
    with pytest.raises(FloeError) as told:
        environment.handle()
    assert time.monotonic() - began < 20
    assert credentials.rest.rest_uri in str(told.value)
    assert credentials.rest.warehouse in str(told.value)
    assert credentials.rest.client_id in str(told.value)
    for secret in (*credentials.secret_values, SECRET):
        assert secret not in str(told.value)
    return told.value


def test_a_server_that_is_not_there(lakehouse: Lakehouse, tmp_path: Path) -> None:
    error = _refused(lakehouse, tmp_path, uri=f"http://127.0.0.1:{free_port()}", client_secret=SECRET)
    assert isinstance(error, MissingToolError)


def test_a_server_that_refuses(lakehouse: Lakehouse, tmp_path: Path) -> None:
    assert isinstance(_refused(lakehouse, tmp_path, client_secret=SECRET), CredentialsRefusedError)


def test_a_warehouse_that_is_not_there(lakehouse: Lakehouse, tmp_path: Path) -> None:
    assert isinstance(_refused(lakehouse, tmp_path, warehouse="nowhere"), (WrongStateError, CredentialsRefusedError))


def test_a_wheel_that_is_missing_or_of_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    import duckdb

    with pytest.raises(MissingToolError, match="excel") as told:
        extensions.load(duckdb.connect(), ["excel"])
    assert f"duckdb-extension-excel=={duckdb.__version__}" in told.value.remedy
    monkeypatch.setattr(duckdb, "__version__", "9.9.9")
    with pytest.raises(MissingToolError, match="avro") as other:
        extensions.load(duckdb.connect(), ["avro"])
    assert "v9.9.9" in other.value.why


def test_secrets_are_in_no_repr_and_in_no_target(lakehouse: Lakehouse, tmp_path: Path) -> None:
    credentials = lakehouse.credentials(tmp_path, "any")
    shown = repr(credentials) + repr(dict(credentials.connection_info()))
    for secret in credentials.secret_values:
        assert secret not in shown
    assert dict(credentials.connection_info())["local_database"] == "local"


@pytest.mark.parametrize("missing", ["namespace", "catalog", "storage"])
def test_a_profile_that_lacks_a_part_says_which(lakehouse: Lakehouse, tmp_path: Path, missing: str) -> None:
    profile: dict[str, Any] = {**lakehouse.profile(tmp_path, "any"), missing: None}
    with pytest.raises(DbtRuntimeError, match=missing):
        DuckDBIcebergCredentials.__pre_deserialize__(profile)


def test_a_bare_address_is_taken_for_polaris(lakehouse: Lakehouse, tmp_path: Path) -> None:
    catalog = lakehouse.credentials(tmp_path, "any").rest
    assert catalog.rest_uri == f"{lakehouse.uri}/api/catalog"
    catalog.uri = "http://other:8181/iceberg/"
    assert catalog.token_uri == "http://other:8181/iceberg/v1/oauth/tokens"  # noqa: S105 - an address


def test_schemas_and_namespaces(lakehouse: Lakehouse, tmp_path: Path) -> None:
    credentials = lakehouse.credentials(tmp_path, "shop")
    pairs = {"main": "shop", "marts": "shop.marts", "shop.marts": "shop.marts", "shop": "shop"}
    assert {schema: credentials.namespace_of(schema) for schema in pairs} == pairs
    assert [credentials.schema_of(name) for name in ("shop", "shop.marts")] == ["main", "marts"]


def test_a_store_that_comes_back_is_waited_for(bench: Bench) -> None:
    """Reads of DuckDB itself; the catalog's way is `patiently`, below."""
    assert bench.cursor.execute("select current_setting('http_retries')").fetchone() == (18,)


def test_what_is_away_is_asked_again_until_it_answers() -> None:
    import requests

    answers = iter([requests.ConnectionError("away"), requests.ConnectionError("away"), None])

    def act() -> str:
        if (error := next(answers)) is not None:
            raise error
        return "there"

    assert rest.patiently(act, 5) == "there"
    with pytest.raises(requests.ConnectionError):
        rest.patiently(lambda: (_ for _ in ()).throw(requests.ConnectionError("away")).__next__(), 0.2)


def test_a_catalog_that_is_away_in_between(lakehouse: Lakehouse, tmp_path: Path) -> None:
    import threading

    from dbt.adapters.duckdb_iceberg import listing

    way = Proxy(int(lakehouse.uri.rsplit(":", 1)[1]))
    credentials = lakehouse.credentials(tmp_path, "any")
    credentials.rest.uri = f"http://{way.address}"
    catalog = rest.open_catalog(credentials)
    listing.make_namespace(catalog, "away.below")
    way.set_open(is_open=False)
    threading.Timer(1.0, lambda: way.set_open(is_open=True)).start()
    assert "away.below" in listing.namespaces(catalog, "away")
    way.set_open(is_open=False)
    listing.drop_namespace(lakehouse_catalog(lakehouse, tmp_path), "away")


def lakehouse_catalog(lakehouse: Lakehouse, folder: Path) -> Any:
    return rest.open_catalog(lakehouse.credentials(folder, "any"))


@pytest.mark.parametrize(
    "wrong",
    [{"access_key": 3}, {"region": [SECRET]}, {"path_style": SECRET}, {"secret_key": None}],  # nosec B105 - planted or a reference
)
def test_a_profile_that_does_not_fit_is_named_by_its_place(lakehouse: Lakehouse, tmp_path: Path, wrong: Any) -> None:
    data = {**lakehouse.profile(tmp_path, "any"), "schema": "main"}
    data["storage"] |= {"secret_key": SECRET, **wrong}
    fields = {name: value for name, value in data.items() if name not in ("type", "threads")}
    with pytest.raises(DbtRuntimeError, match="storage") as told:
        DuckDBIcebergCredentials.validate(DuckDBIcebergCredentials.__pre_deserialize__(fields))
    assert SECRET not in str(told.value)
    assert lakehouse.client_secret not in str(told.value)


def test_a_store_without_an_endpoint_is_aws(lakehouse: Lakehouse, tmp_path: Path) -> None:
    credentials = lakehouse.credentials(tmp_path, "any")
    credentials.store.endpoint = ""
    environment: Any = IcebergEnvironment(credentials)
    cursor = environment.handle().cursor()
    cursor.execute("select secret_string from duckdb_secrets() where name = 'duckdb_iceberg_store'")
    (told,) = cursor.fetchall()
    assert "endpoint" not in told[0]
    assert "s3.endpoint" not in environment.catalog._load_file_io().properties


def test_a_token_names_the_realm_ends_and_may_have_no_told_life(
    lakehouse: Lakehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    asked: list[requests.PreparedRequest] = []
    limits: list[object] = []
    original = requests.Session.send

    def send(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        answer = original(session, request, **options)
        if str(request.url).endswith("/oauth/tokens"):
            asked.append(request)
            limits.append(options["timeout"])
            told = {name: value for name, value in answer.json().items() if name != "expires_in"}
            answer._content = json.dumps(told).encode()
        return answer

    monkeypatch.setattr(requests.Session, "send", send)
    credentials = lakehouse.credentials(tmp_path, "any")
    credentials.rest.realm = "POLARIS"
    rest.open_catalog(credentials).list_namespaces()
    assert {request.headers["Polaris-Realm"] for request in asked} == {"POLARIS"}
    assert set(limits) == {rest.LIMITS}


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("AWS Error NETWORK_CONNECTION during HeadObject: Could not connect to server; {store}", "object store"),
        ("IO Error: Could not connect to server error for HTTP GET to '{catalog}/v1/w/namespaces'", "Iceberg catalog"),
        ("SdkClientException: Connect to {store} [/127.0.0.1] failed: Connection refused", "object store"),
    ],
)
def test_who_does_not_answer_is_told_apart_by_the_address(
    lakehouse: Lakehouse, tmp_path: Path, words: str, what: str
) -> None:
    credentials = lakehouse.credentials(tmp_path, "any")
    said = words.format(store=credentials.store.endpoint.rpartition("/")[2], catalog=credentials.rest.rest_uri)
    assert rest.is_silence(said)
    error = rest.silent(said, credentials)
    assert error.what == f"the {what} does not answer"
    assert error.where.startswith(credentials.store.endpoint if what == "object store" else credentials.rest.rest_uri)


def test_what_a_query_says_of_its_rows_is_no_silence() -> None:
    assert not rest.is_silence("Conversion Error: Could not convert string 'x' to INT32")
    assert not rest.is_away(OSError(28, "No space left on device"))


def test_a_local_file_that_cannot_be_opened_is_told_as_dbt_tells_it(lakehouse: Lakehouse, tmp_path: Path) -> None:
    from dbt.adapters.contracts.connection import Connection
    from dbt.adapters.duckdb_iceberg.connections import DuckDBIcebergConnectionManager
    from dbt.adapters.exceptions.connection import FailedToConnectError

    (tmp_path / "local.duckdb").write_bytes(b"no database" * 1000)
    connection = Connection(type="duckdb_iceberg", name="c", credentials=lakehouse.credentials(tmp_path, "any"))  # type: ignore[arg-type]
    with pytest.raises(FailedToConnectError, match="not a valid DuckDB database file"):
        DuckDBIcebergConnectionManager.open(connection)
