"""Bootstrap, wait and token on the running platform; each test's catalog and bucket are its own.

What the programs say is held against the server's own answers, fetched here with nothing but `requests`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psutil
import pyarrow as pa  # type: ignore[import-untyped] # the wheel carries no types
import pytest
import requests
from botocore.exceptions import ClientError
from floe_catalog_polaris.iceberg import open_catalog, s3_properties
from floe_catalog_polaris.plugin import PolarisCatalogPlugin, PolarisConfig
from floe_core.errors import ExitCode, WrongStateError
from floe_core.testing import LiveCatalogConformance
from floe_ops import readiness, warehouse
from floe_ops.bootstrap import GRANT, bootstrap
from floe_ops.clients.object_store import BucketState, ObjectStore
from floe_ops.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_ops.targets import Platform

pytestmark = pytest.mark.platform
LIMIT_S = 60
INVOKE = Path(sys.executable).with_name("invoke")
WRONG_SECRET = "planted-wrong-secret"  # noqa: S105 - planted, to be looked for


@pytest.fixture
def own(platform: Platform) -> Iterator[Warehouse]:
    """A catalog and a bucket that nobody else knows; both are gone afterwards."""
    mark = uuid4().hex[:10]
    mine = replace(
        warehouse.of_platform(platform), catalog=f"t-{mark}", bucket=f"floe-t-{mark}", location=f"s3://floe-t-{mark}"
    )
    yield mine
    with mine.client() as client:
        if client.catalog(mine.catalog) is not None:
            client.delete_catalog_role(mine.catalog, "floe_rw")
            client.delete_catalog(mine.catalog)
    with suppress(ClientError):
        mine.object_store().delete(mine.bucket)


def environment(platform: Platform, mine: Warehouse, **changes: str) -> dict[str, str]:
    """Environment of a child process for a catalog of the test's own; what it does is no evidence of the run."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"FLOE_RUN_DIR", "FLOE_SESSION"}}
    own = {"FLOE_CATALOG": mine.catalog, "FLOE_BUCKET": mine.bucket}
    return inherited | platform.environment() | own | changes


def invoke(root: Path, env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [INVOKE, "--search-root", root, *words],
        env=env,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def ask(mine: Warehouse, path: str) -> requests.Response:
    """A GET of the management API with a token fetched here, without the project's client."""
    form = {
        "grant_type": "client_credentials",
        "client_id": mine.client_id,
        "client_secret": mine.client_secret,
        "scope": "PRINCIPAL_ROLE:ALL",
    }
    given = requests.post(f"{mine.url}/api/catalog/v1/oauth/tokens", data=form, timeout=LIMIT_S).json()
    bearer = {"Authorization": f"Bearer {given['access_token']}"}
    return requests.get(f"{mine.url}/api/management/v1/{path}", headers=bearer, timeout=LIMIT_S)


def assert_right(mine: Warehouse) -> None:
    seen: dict[str, Any] = ask(mine, f"catalogs/{mine.catalog}").json()
    storage = seen["storageConfigInfo"]
    assert (seen["name"], seen["type"]) == (mine.catalog, "INTERNAL")
    assert seen["properties"]["default-base-location"] == mine.location
    assert (storage["storageType"], storage["endpoint"]) == ("S3", mine.spec().endpoint)
    assert (storage["pathStyleAccess"], storage["stsUnavailable"]) == (True, True)
    grants = ask(mine, f"catalogs/{mine.catalog}/catalog-roles/floe_rw/grants").json()
    assert grants == {"grants": [{"type": "catalog", "privilege": GRANT}]}
    roles = ask(mine, f"principal-roles/floe_writer/catalog-roles/{mine.catalog}").json()["roles"]
    assert [role["name"] for role in roles] == ["floe_rw"]
    assert mine.object_store().check(mine.bucket).state is BucketState.PRESENT


@pytest.mark.requirement("WU1-AC1")
def test_the_catalog_is_right_by_value_and_a_wrong_one_ends_it_with_the_difference(
    own: Warehouse, platform: Platform, project_root: Path
) -> None:
    report = bootstrap(own)
    assert [step.step for step in report.steps if step.outcome == "verified"][-1] == "access"
    assert_right(own)
    other = environment(platform, own, FLOE_BUCKET=f"{own.bucket}-other")
    wrong = invoke(project_root, other, "polaris.bootstrap", "--dry-run")
    assert wrong.returncode == ExitCode.WRONG
    assert f"base location: wanted s3://{own.bucket}-other, is s3://{own.bucket}" in wrong.stderr


@pytest.mark.requirement("WU1-AC1")
def test_the_grants_are_enough_to_write_and_read_a_table(own: Warehouse) -> None:
    bootstrap(own)
    fileio = s3_properties(
        endpoint=own.s3_endpoint or "", access_key=own.s3_access_key, secret_key=own.s3_secret_key, region=own.region
    )
    catalog = open_catalog(own.url, own.catalog, own.client_id, own.client_secret, fileio=fileio)
    rows = pa.table({"n": pa.array(range(10), pa.int64())})
    catalog.create_namespace("t")
    try:
        table = catalog.create_table("t.rows", schema=rows.schema)
        table.append(rows)
        assert sum(catalog.load_table("t.rows").scan().to_arrow()["n"].to_pylist()) == 45
        assert table.location().startswith(f"{own.location}/")
    finally:
        catalog.drop_table("t.rows")
        catalog.drop_namespace("t")


@pytest.mark.requirement("WU1-AC2")
def test_only_a_signed_look_tells_a_bucket_from_none(own: Warehouse) -> None:
    store = own.object_store()
    store.create(own.bucket)
    assert store.check(own.bucket).state is BucketState.PRESENT
    missing = store.check(f"{own.bucket}-missing")
    assert missing.state is BucketState.MISSING
    assert missing.error().exit_code == ExitCode.WRONG
    anonymous = requests.head(f"{store.endpoint}/{own.bucket}", timeout=LIMIT_S)
    assert anonymous.status_code == 403, "an anonymous look says nothing about a bucket that is there"


@pytest.mark.requirement("WU1-AC2")
def test_a_wrong_key_is_not_a_missing_bucket(own: Warehouse) -> None:
    own.object_store().create(own.bucket)
    known = ObjectStore(own.s3_endpoint or "", own.s3_access_key, WRONG_SECRET).check(own.bucket)
    unknown = ObjectStore(own.s3_endpoint or "", "nobody", WRONG_SECRET).check(own.bucket)
    assert (known.state, unknown.state) == (BucketState.WRONG_KEY, BucketState.WRONG_KEY)
    assert WRONG_SECRET not in str(known.error())


@pytest.mark.requirement("WU1-AC3")
def test_the_wait_returns_only_when_the_right_catalog_is_served(
    own: Warehouse, platform: Platform, project_root: Path
) -> None:
    env = environment(platform, own)
    command = [str(INVOKE), "--search-root", str(project_root), "polaris-wait", "--timeout", "30", "--json"]
    with subprocess.Popen(
        command, env=env, cwd=project_root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.stderr is not None
        assert f"the server has no catalog '{own.catalog}'" in waiting.stderr.readline()
        assert waiting.poll() is None
        bootstrap(own)
        told, _ = waiting.communicate(timeout=LIMIT_S)
    assert waiting.returncode == 0
    assert json.loads(told)["catalog"] == own.catalog
    elsewhere = replace(own, location="s3://another-bucket")
    with pytest.raises(WrongStateError, match="base location: wanted s3://another-bucket"):
        readiness.wait(lambda: elsewhere, readiness.Terms(30))


@pytest.mark.requirement("WU1-AC3", "WU1-AC4")
def test_the_scripts_work_from_another_folder_and_a_path_with_spaces(
    platform: Platform, project_root: Path, tmp_path: Path
) -> None:
    """The wait and the token by the shell, with the secret on no command line and in no output."""
    link = tmp_path / "a path with spaces"
    link.symlink_to(project_root, target_is_directory=True)
    env = environment(platform, warehouse.of_platform(platform))
    waited = subprocess.run(
        [link / "testing/ci/wait-for-services.sh", "--timeout", "30", "--streak", "3"],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert waited.returncode == 0, waited.stderr
    script = '. "$1"; token="$(get_polaris_token)" && printf %s "$token"'
    auth = link / "testing/ci/polaris-auth.sh"
    seen: set[str] = set()
    with subprocess.Popen(
        ["bash", "-c", script, "bash", auth], env=env, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as running:
        watch = psutil.Process(running.pid)
        with suppress(psutil.NoSuchProcess):
            while running.poll() is None:
                for process in [watch, *watch.children(recursive=True)]:
                    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                        seen.add(" ".join(process.cmdline()))
        token = running.stdout.read() if running.stdout else ""
    secret = platform.secrets["polaris-client-secret"]
    assert any("polaris.token" in line for line in seen), seen
    assert not any(secret in line for line in seen)
    assert secret not in token + waited.stdout + waited.stderr
    answer = requests.get(
        f"{platform.urls['polaris']}/api/management/v1/catalogs/{platform.catalog}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=LIMIT_S,
    )
    assert (answer.status_code, answer.json()["name"]) == (200, platform.catalog)


@pytest.mark.requirement("WU1-AC4")
class TestPluginUsesTheSameClient(LiveCatalogConformance):
    """The catalog plugin against the running catalog, by the conformance suite of its ABC."""

    @pytest.fixture
    def plugin(self, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> PolarisCatalogPlugin:
        for name, value in platform.environment().items():
            monkeypatch.setenv(name, value)
        return PolarisCatalogPlugin(PolarisConfig(warehouse=platform.catalog))

    @pytest.fixture
    def unreachable(self, plugin: PolarisCatalogPlugin) -> PolarisCatalogPlugin:
        return PolarisCatalogPlugin(plugin.config.model_copy(update={"uri": "http://127.0.0.1:1"}))

    @pytest.fixture
    def namespace(self, plugin: PolarisCatalogPlugin) -> Iterator[str]:
        name = f"t_{uuid4().hex[:10]}"
        yield name
        plugin.connect().drop_namespace(name)


@pytest.mark.requirement("WU1-BC1")
def test_409_is_success_and_the_catalog_is_still_verified(own: Warehouse) -> None:
    """Four at once: one makes the catalog, the others are told that it is there, all verify it."""
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _turn: bootstrap(own), range(4)))
    made = [step for report in reports for step in report.steps if (step.step, step.outcome) == ("catalog", "created")]
    assert len(made) == 1
    assert all(own.catalog in report.detail("catalog") for report in reports)
    assert_right(own)
    with own.client() as client:
        assert client.create_catalog(own.spec()) is False, "409 says that it is there"
    with pytest.raises(WrongStateError, match="not as asked"):
        bootstrap(replace(own, location=f"{own.location}/other"))


@pytest.mark.requirement("WU1-BC1")
def test_killed_on_its_way_the_next_run_finishes(own: Warehouse, platform: Platform, project_root: Path) -> None:
    """Killed for real, after the bucket was made; `packages/floe-ops/tests/bootstrap` does it at every step."""
    with subprocess.Popen(
        [INVOKE, "--search-root", project_root, "polaris.bootstrap"],
        env=environment(platform, own),
        cwd=project_root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert "bucket" in running.stdout.readline()
        running.kill()
    assert running.returncode == -9
    bootstrap(own)
    assert_right(own)


@pytest.mark.requirement("WU1-BC3")
def test_a_missing_bucket_fails_and_a_retry_heals(own: Warehouse) -> None:
    with pytest.raises(WrongStateError, match=own.bucket):
        bootstrap(own, create_bucket=False)
    assert ask(own, f"catalogs/{own.catalog}").status_code == 404, "no catalog over a bucket that is not there"
    own.object_store().create(own.bucket)
    bootstrap(own, create_bucket=False)
    assert_right(own)


@pytest.mark.requirement("WU1-BC4")
def test_bad_credentials_name_client_and_endpoint_never_the_secret(
    own: Warehouse, platform: Platform, project_root: Path
) -> None:
    env = environment(platform, own, POLARIS_CLIENT_SECRET=WRONG_SECRET)
    with ThreadPoolExecutor(3) as pool:
        tasks = ("polaris.bootstrap", "polaris-wait", "polaris.token")
        ended = dict(zip(tasks, pool.map(lambda task: invoke(project_root, env, task), tasks), strict=True))
    for task, done in ended.items():
        assert done.returncode == ExitCode.REFUSED, (task, done.stderr)
        assert f"client '{own.client_id}'" in done.stderr, task
        assert f"{own.url}/api/catalog/v1/oauth/tokens" in done.stderr, task
        assert WRONG_SECRET not in done.stdout + done.stderr, task
        assert "Traceback" not in done.stderr, task
