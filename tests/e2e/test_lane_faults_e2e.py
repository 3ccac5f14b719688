"""The Iceberg lane while its catalog, or its object store, is away in the middle of a build (WU-5).

A catalog and a store of this module's own, each behind a way that is closed as soon as a build has made its first
table. All builds are processes that run at the same time, since they do nothing but wait.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
import yaml
from polaris_standin.contract.stack import BUCKET, Keys, ObjectStore, Polaris, Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.duckdb, pytest.mark.requirement("WU5-AC5"), pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
FLOE = Path(sys.executable).with_name("floe")
WAREHOUSE = "faults"
PARTS = ("catalog", "store")
AWAY_S = 20.0
PATIENCE_S = 90.0
"""How long a build may go on after the way was closed for good: what each of two engines waits, and some for dbt."""
LIMIT_S = 240
MODELS = {
    "first": "{{ config(materialized='table') }} select range as id from range(1000)",
    "second": "{{ config(materialized='table') }} select id, id + 1 as next from {{ ref('first') }}",
    "third": "{{ config(materialized='table') }} select count(*) as found, sum(next) as total from {{ ref('second') }}",
}


@dataclass(frozen=True)
class Lake:
    """A catalog and a store, and the ways to them that can be closed."""

    server: Polaris
    ways: dict[str, Proxy]
    keys: Keys

    @property
    def environment(self) -> dict[str, str]:
        return {
            **self.keys.environment(),
            "FLOE_POLARIS_URL": f"http://{self.ways['catalog'].address}",
            "FLOE_CATALOG": WAREHOUSE,
            "POLARIS_CLIENT_ID": self.server.server.client_id,
            "POLARIS_CLIENT_SECRET": self.server.server.secret,
            "AWS_ENDPOINT_URL_S3": f"http://{self.ways['store'].address}",
            "OTEL_SDK_DISABLED": "true",
        }


@dataclass(frozen=True)
class Ended:
    """A build that met an outage.

    Attributes:
        code: Its exit code.
        said: What it printed.
        seconds: From the outage's begin to the build's end.
        where: URL of what was away.
    """

    code: int
    said: str
    seconds: float
    where: str


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, bool], Ended]]:
    """One build for each part that is away, and for whether it comes back."""
    folder = tmp_path_factory.mktemp("faults")
    keys = Keys(f"key-{secrets.token_hex(8)}", secrets.token_hex(16))
    cases = [(part, back) for part in PARTS for back in (True, False)]
    with ExitStack() as stack:
        store = stack.enter_context(ObjectStore(folder / "store", keys))
        polaris = stack.enter_context(Polaris(folder / "catalog", keys))
        lakes = {case: _lake(polaris, store, keys) for case in cases}
        _make_warehouse(polaris, store.address)
        with ThreadPoolExecutor(len(cases)) as threads:
            running = {case: threads.submit(_build, folder, lakes[case], *case) for case in cases}
            yield {case: one.result(LIMIT_S) for case, one in running.items()}
        for lake in lakes.values():
            for way in lake.ways.values():
                way.set_open(is_open=False)


def _lake(polaris: Polaris, store: ObjectStore, keys: Keys) -> Lake:
    ways = {"catalog": Proxy(int(polaris.server.api.rpartition(":")[2])), "store": Proxy(store.port)}
    return Lake(polaris, ways, keys)


def _make_warehouse(polaris: Polaris, store: str) -> None:
    server = polaris.server
    form = {"grant_type": "client_credentials", "client_id": server.client_id, "client_secret": server.secret}
    tokens = f"{server.api}/api/catalog/v1/oauth/tokens"
    answer = requests.post(tokens, data={**form, "scope": "PRINCIPAL_ROLE:ALL"}, timeout=9)
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    base = f"s3://{BUCKET}/{WAREHOUSE}"
    place = {"storageType": "S3", "allowedLocations": [f"{base}/"], "region": "us-east-1"}
    storage = {**place, "endpoint": f"http://{store}", "pathStyleAccess": True}
    properties = {"default-base-location": base}
    made = {"name": WAREHOUSE, "type": "INTERNAL", "properties": properties, "storageConfigInfo": storage}
    root = f"{server.api}/api/management/v1/catalogs"
    requests.post(root, json={"catalog": made}, headers=headers, timeout=9).raise_for_status()
    grant = {"grant": {"type": "catalog", "privilege": "CATALOG_MANAGE_CONTENT"}}
    rights = f"{root}/{WAREHOUSE}/catalog-roles/catalog_admin/grants"
    requests.put(rights, json=grant, headers=headers, timeout=9).raise_for_status()


def _product(folder: Path, name: str) -> Path:
    """A product of three tables, each of which reads the one before."""
    manifest = yaml.safe_load((ROOT / "demo" / "manifest.yaml").read_text(encoding="utf-8"))
    plugins = {kind: manifest["plugins"][kind] for kind in ("compute", "dbt", "orchestrator", "catalog", "storage")}
    del manifest["governance"]
    reads = {after: [before] for before, after in pairwise(MODELS)}
    transforms = [{"name": model, "tier": "gold", "dependsOn": reads.get(model, [])} for model in MODELS]
    spec = {"apiVersion": "floe.dev/v1", "kind": "FloeSpec", "metadata": {"name": name, "version": "1.0.0"}}
    slug = name.replace("-", "_")
    project = {"name": slug, "profile": slug, "config-version": 2, "version": "1.0.0"}
    files = {
        "manifest.yaml": yaml.safe_dump({**manifest, "plugins": plugins}),
        "floe.yaml": yaml.safe_dump({**spec, "platform": {"manifest": "manifest.yaml"}, "transforms": transforms}),
        "dbt_project.yml": yaml.safe_dump({**project, "flags": {"send_anonymous_usage_stats": False}}),
        **{f"models/{model}.sql": sql for model, sql in MODELS.items()},
    }
    for path, text in files.items():
        (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / path).write_text(text, encoding="utf-8")
    return folder / name


def _build(folder: Path, lake: Lake, part: str, back: bool) -> Ended:
    """Run the product; its way to `part` closes when the first model is there, and opens again where it comes back."""
    product = _product(folder, f"{part}-{'back' if back else 'gone'}")
    way = lake.ways[part]
    opening = threading.Timer(AWAY_S, way.set_open, kwargs={"is_open": True})
    with subprocess.Popen(
        [str(FLOE), "run", "--lane", "iceberg"],
        cwd=product,
        env={**os.environ, **lake.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        lines, began = [], 0.0
        for line in process.stdout:
            lines.append(line)
            if not began and " first " in line:
                way.set_open(is_open=False)
                began = time.monotonic()
                if back:
                    opening.start()
        code = process.wait(LIMIT_S)
    ended = time.monotonic()
    opening.cancel()
    assert began, "".join(lines)
    return Ended(code, "".join(lines), ended - began, f"http://{way.address}")


@pytest.mark.parametrize("part", PARTS)
def test_a_build_waits_for_what_is_away_for_a_while(builds: dict[tuple[str, bool], Ended], part: str) -> None:
    build = builds[part, True]
    assert build.code == 0, build.said
    assert build.seconds >= AWAY_S - 1, "it was away while the build needed it"
    assert " third " in build.said


@pytest.mark.parametrize("part", PARTS)
def test_what_stays_away_is_named_with_the_next_step_in_bounded_time(
    builds: dict[tuple[str, bool], Ended], part: str
) -> None:
    build = builds[part, False]
    assert build.code not in {0, 1}, build.said
    assert build.seconds < PATIENCE_S
    assert "Traceback" not in build.said
    assert build.where in build.said
    assert f"the {'Iceberg catalog' if part == 'catalog' else 'object store'} does not answer" in build.said
    assert f"see whether the {'catalog' if part == 'catalog' else 'object store'} runs" in build.said
