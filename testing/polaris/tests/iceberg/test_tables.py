"""PyIceberg as a client: real tables in a real object store."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped]  # it publishes no types
import pytest
from polaris_standin.contract.stack import BUCKET, Keys, ObjectStore, Polaris, Server
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.table.update import AssertRefSnapshotId, SetPropertiesUpdate
from pyiceberg.types import DoubleType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = pa.table({"id": [1, 2, 3], "name": ["a", None, "ü"]})


def client(server: Server, warehouse: str, **options: str) -> RestCatalog:
    """A client that has no storage credentials but those that the catalog vends."""
    return RestCatalog(
        "test",
        uri=f"{server.api}/api/catalog",
        warehouse=warehouse,
        credential=f"{server.client_id}:{server.secret}",
        scope="PRINCIPAL_ROLE:ALL",
        **{"oauth2-server-uri": f"{server.api}/api/catalog/v1/oauth/tokens"},
        **options,
    )


@pytest.fixture(scope="module")
def warehouse(api: Any, store: ObjectStore) -> str:
    return str(api.make_catalog(store))


@pytest.fixture(scope="module")
def catalog(server: Server, warehouse: str) -> Iterator[RestCatalog]:
    opened = client(server, warehouse)
    opened.create_namespace("ns")
    yield opened
    opened.close()


def test_a_table_is_written_and_read_back_with_vended_credentials(catalog: RestCatalog) -> None:
    table = catalog.create_table("ns.roundtrip", schema=ROWS.schema)
    table.append(ROWS)
    table.append(ROWS)
    loaded = catalog.load_table("ns.roundtrip")
    assert loaded.scan().to_arrow().num_rows == 6
    assert sorted(loaded.scan(row_filter="name == 'ü'").to_arrow()["id"].to_pylist()) == [3, 3]
    assert len(loaded.metadata.snapshots) == 2
    assert loaded.metadata_location.rpartition("/")[2].startswith("00002-")


def test_schema_and_partition_changes_are_kept(catalog: RestCatalog) -> None:
    table = catalog.create_table("ns.evolving", schema=ROWS.schema)
    table.append(ROWS)
    with table.update_schema() as update:
        update.add_column("extra", DoubleType())
    with table.update_spec() as spec:
        spec.add_identity("name")
    loaded = catalog.load_table("ns.evolving")
    assert loaded.schema().column_names == ["id", "name", "extra"]
    assert [field.name for field in loaded.spec().fields] == ["name"]
    assert loaded.scan().to_arrow()["extra"].to_pylist() == [None] * 3


def test_of_two_writers_on_one_snapshot_the_second_is_refused(catalog: RestCatalog) -> None:
    catalog.create_table("ns.contended", schema=ROWS.schema)
    first, second = catalog.load_table("ns.contended"), catalog.load_table("ns.contended")
    first.append(ROWS)
    # What a writer sends that read the table before the first append; the client itself would try again.
    stale = AssertRefSnapshotId.model_validate({"ref": "main", "snapshot-id": None})
    update = SetPropertiesUpdate(updates={"late": "yes"})
    with pytest.raises(CommitFailedException, match="branch main was created concurrently"):
        catalog.commit_table(second, (stale,), (update,))
    loaded = catalog.load_table("ns.contended")
    assert loaded.scan().to_arrow().num_rows == 3
    assert "late" not in loaded.properties


def test_parallel_commits_that_do_not_collide_all_arrive(catalog: RestCatalog, api: Any, warehouse: str) -> None:
    catalog.create_table("ns.busy", schema=ROWS.schema)
    path = f"/api/catalog/v1/{warehouse}/namespaces/ns/tables/busy"
    barrier = threading.Barrier(4)
    statuses: list[int] = []

    def commit(number: int) -> None:
        update = {"action": "set-properties", "updates": {f"k{number}": "v"}}
        barrier.wait(timeout=10)
        statuses.append(api.call("POST", path, {"requirements": [], "updates": [update]}).status_code)

    threads = [threading.Thread(target=commit, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert statuses == [200] * 4
    properties = catalog.load_table("ns.busy").properties
    assert {f"k{number}" for number in range(4)} <= properties.keys()


def test_a_staged_table_appears_when_its_transaction_commits(catalog: RestCatalog) -> None:
    with catalog.create_table_transaction("ns.staged", schema=ROWS.schema) as transaction:
        transaction.set_properties(owner="me")
        with pytest.raises(NoSuchTableError):
            catalog.load_table("ns.staged")
    assert catalog.load_table("ns.staged").properties["owner"] == "me"


def test_a_dropped_table_is_registered_again(catalog: RestCatalog) -> None:
    table = catalog.create_table("ns.registered", schema=ROWS.schema)
    table.append(ROWS)
    catalog.drop_table("ns.registered")
    with pytest.raises(NoSuchTableError):
        catalog.load_table("ns.registered")
    catalog.register_table("ns.registered", table.metadata_location)
    assert catalog.load_table("ns.registered").scan().to_arrow().num_rows == 3
    with pytest.raises(TableAlreadyExistsError):
        catalog.register_table("ns.registered", table.metadata_location)


def test_a_renamed_table_keeps_its_data(catalog: RestCatalog) -> None:
    catalog.create_namespace(("ns", "inner"))
    catalog.create_table("ns.before", schema=ROWS.schema).append(ROWS)
    catalog.rename_table("ns.before", ("ns", "inner", "after"))
    assert not catalog.table_exists("ns.before")
    assert catalog.load_table(("ns", "inner", "after")).scan().to_arrow().num_rows == 3
    assert catalog.list_tables(("ns", "inner")) == [("ns", "inner", "after")]


def test_several_tables_change_together_or_not_at_all(api: Any, catalog: RestCatalog, warehouse: str) -> None:
    uuids = {
        name: str(catalog.create_table(f"ns.{name}", schema=ROWS.schema).metadata.table_uuid) for name in ("one", "two")
    }

    def change(uuid_of_two: str) -> int:
        changes = [
            {
                "identifier": {"namespace": ["ns"], "name": name},
                "requirements": [{"type": "assert-table-uuid", "uuid": uuid}],
                "updates": [{"action": "set-properties", "updates": {"together": "yes"}}],
            }
            for name, uuid in {"one": uuids["one"], "two": uuid_of_two}.items()
        ]
        path = f"/api/catalog/v1/{warehouse}/transactions/commit"
        status: int = api.call("POST", path, {"table-changes": changes}).status_code
        return status

    assert change("00000000-0000-4000-8000-000000000000") == 409
    assert "together" not in catalog.load_table("ns.one").properties
    assert change(uuids["two"]) == 204
    for name in uuids:
        assert catalog.load_table(f"ns.{name}").properties["together"] == "yes"


def test_a_table_may_not_share_the_location_of_another(api: Any, catalog: RestCatalog, warehouse: str) -> None:
    table = catalog.create_table("ns.owner", schema=ROWS.schema)
    schema = {"type": "struct", "fields": [{"id": 1, "name": "id", "type": "long", "required": False}]}
    body = {"name": "intruder", "location": f"{table.location()}/inside", "schema": schema}
    answer = api.call("POST", f"/api/catalog/v1/{warehouse}/namespaces/ns/tables", body)
    assert answer.status_code == 403
    assert table.location() in answer.json()["error"]["message"]


def test_a_purge_deletes_the_files_where_the_catalog_allows_it(
    server: Server, api: Any, store: ObjectStore, keys: Keys
) -> None:
    import boto3

    name = api.make_catalog(store)
    path = f"/api/management/v1/catalogs/{name}"
    properties = {"polaris.config.drop-with-purge.enabled": "true"}
    assert api.call("PUT", path, {"currentEntityVersion": 1, "properties": properties}).status_code == 200
    opened = client(server, name)
    opened.create_namespace("ns")
    opened.create_table("ns.gone", schema=ROWS.schema).append(ROWS)
    s3 = boto3.client(
        "s3",
        endpoint_url=f"http://{store.address}",
        region_name="us-east-1",
        aws_access_key_id=keys.access,
        aws_secret_access_key=keys.secret,
    )
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{name}/ns/gone/")["KeyCount"] > 2
    opened.purge_table("ns.gone")
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{name}/ns/gone/")["KeyCount"] == 0
    opened.close()


def test_a_client_brings_its_own_keys_where_there_is_no_sts(
    server: Server, api: Any, store: ObjectStore, keys: Keys
) -> None:
    name = api.make_catalog(store, stsUnavailable=True)
    options = {
        "header.X-Iceberg-Access-Delegation": "",
        "s3.access-key-id": keys.access,
        "s3.secret-access-key": keys.secret,
    }
    opened = client(server, name, **options)
    opened.create_namespace("ns")
    opened.create_table("ns.own", schema=ROWS.schema).append(ROWS)
    assert opened.load_table("ns.own").scan().to_arrow().num_rows == 3
    opened.close()


def test_a_restart_with_the_same_state_keeps_tables(
    tmp_path: Path, keys: Keys, connect: Any, store: ObjectStore
) -> None:
    state = tmp_path / "state"
    with Polaris(tmp_path, keys, state=state) as polaris:
        name = connect(polaris.server).make_catalog(store)
        opened = client(polaris.server, name)
        opened.create_namespace("ns")
        opened.create_table("ns.kept", schema=ROWS.schema).append(ROWS)
        opened.close()
    with Polaris(tmp_path, keys, state=state) as polaris:
        opened = client(polaris.server, name)
        table = opened.load_table("ns.kept")
        table.append(ROWS)
        assert opened.load_table("ns.kept").scan().to_arrow().num_rows == 6
        opened.close()
