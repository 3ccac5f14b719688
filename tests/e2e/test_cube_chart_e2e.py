"""Cube in the chart, as Helm renders it from the platform's values: its images, its requests, its models."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from floe_core.errors import FloeError
from floe_ops.clients import helm as clients
from floe_ops.clients.helm import Values

if TYPE_CHECKING:
    from pathlib import Path

    from floe_ops.clients.helm import Helm

CHART = "charts/floe-platform"
DIGEST = "sha256:" + "c" * 64
STORE, API, WORKER = "floe-cube-store", "floe-cube-api", "floe-cube-refresh-worker"
PROFILES = ("values-test.yaml", "values-dev.yaml", "values-prod.yaml")


@pytest.fixture(scope="module")
def helm() -> Helm:
    return clients.choose()


@pytest.fixture(scope="module")
def chart(project_root: Path) -> Path:
    return project_root / CHART


def rendered(helm: Helm, chart: Path, profile: str = PROFILES[0], **cube: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """Every object by kind and name, for a profile and values of Cube."""
    text = helm.template("floe", chart, Values((chart / profile,), {"cube": cube} if cube else None))
    documents = [one for one in yaml.safe_load_all(text) if one]
    return {(one["kind"], one["metadata"]["name"]): one for one in documents}


def container(objects: dict[tuple[str, str], dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (only,) = objects[kind, name]["spec"]["template"]["spec"]["containers"]
    return dict(only)


@pytest.mark.requirement("WU2-AC4")
@pytest.mark.parametrize(
    ("given", "image"),
    [
        ({"repository": "ghcr.example/floe/cube-store"}, r"ghcr\.example/floe/cube-store:v1\.7\.43"),
        ({"tag": "1.3.78"}, r".+/cubestore:1\.3\.78"),
        ({"digest": DIGEST}, rf".+/cubestore:v1\.7\.43@{DIGEST}"),
        ({"repository": "r/x", "tag": "2", "digest": DIGEST}, f"r/x:2@{DIGEST}"),
    ],
)
def test_each_part_of_the_stores_image_comes_from_the_platforms_values(
    helm: Helm, chart: Path, given: dict[str, str], image: str
) -> None:
    before, after = rendered(helm, chart), rendered(helm, chart, cubeStore={"image": given})
    assert re.fullmatch(image, container(after, "StatefulSet", STORE)["image"])
    for name in (API, WORKER):  # Cube's own image is another one
        assert container(after, "Deployment", name) == container(before, "Deployment", name)


@pytest.mark.requirement("WU2-AC4")
def test_the_pull_policy_of_each_image_comes_from_the_values(helm: Helm, chart: Path) -> None:
    objects = rendered(helm, chart, image={"pullPolicy": "Never"}, cubeStore={"image": {"pullPolicy": "Always"}})
    assert container(objects, "StatefulSet", STORE)["imagePullPolicy"] == "Always"
    assert container(objects, "Deployment", API)["imagePullPolicy"] == "Never"


@pytest.mark.requirement("WU2-BC3")
@pytest.mark.parametrize("profile", PROFILES)
def test_cubes_images_carry_an_explicit_tag_in_every_profile(helm: Helm, chart: Path, profile: str) -> None:
    objects = rendered(helm, chart, profile)
    images = [
        container(objects, kind, name)["image"] for kind, name in objects if kind in {"Deployment", "StatefulSet"}
        and name in {STORE, API, WORKER}
    ]  # fmt: skip
    assert images
    assert [image for image in images if not re.search(r":v\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$", image)] == []


@pytest.mark.requirement("WU2-BC3")
@pytest.mark.parametrize("tag", ["latest", ""])
@pytest.mark.parametrize("part", ["image", "cubeStore"])
def test_a_tag_that_floats_or_is_missing_does_not_render(helm: Helm, chart: Path, part: str, tag: str) -> None:
    given: dict[str, Any] = {"image": {"tag": tag}} if part == "image" else {"cubeStore": {"image": {"tag": tag}}}
    with pytest.raises(FloeError) as caught:
        rendered(helm, chart, PROFILES[0], **given)
    assert "image/tag" in str(caught.value)


@pytest.mark.requirement("WU2-AC2", "WU2-BC2")
def test_the_test_profile_runs_cube_store_and_asks_for_little(helm: Helm, chart: Path) -> None:
    objects = rendered(helm, chart)
    assert container(objects, "StatefulSet", STORE)["resources"]["requests"] == {"cpu": "100m", "memory": "256Mi"}
    assert container(objects, "Deployment", API)["resources"]["requests"] == {"cpu": "50m", "memory": "128Mi"}


@pytest.mark.requirement("WU2-AC5")
def test_without_cube_store_everything_else_is_there_and_looks_for_none(helm: Helm, chart: Path) -> None:
    whole, without = rendered(helm, chart), rendered(helm, chart, cubeStore={"enabled": False})
    gone = {("StatefulSet", STORE), ("Service", STORE), ("ServiceAccount", STORE), ("NetworkPolicy", STORE)}
    assert whole.keys() - without.keys() == gone
    for name in (API, WORKER):
        environment = {one["name"]: one.get("value") for one in container(without, "Deployment", name)["env"]}
        assert environment["CUBEJS_CACHE_AND_QUEUE_DRIVER"] == "memory"
        assert "CUBEJS_CUBESTORE_HOST" not in environment
    assert STORE not in yaml.safe_dump(list(without.values()))


@pytest.mark.requirement("WU2-AC2")
def test_a_products_models_reach_the_folder_that_cube_reads_byte_by_byte(helm: Helm, chart: Path) -> None:
    models = {
        "cubes/orders.yml": "cubes:\n  - name: orders\n    sql_table: marts.orders # {{ jinja }} is Cube's\n\n",
        "views/orders.yml": "views: []\n",
    }
    objects = rendered(helm, chart, models=models)
    data = objects["ConfigMap", "floe-cube-models"]["data"]
    for name in (API, WORKER):
        mounts = container(objects, "Deployment", name)["volumeMounts"]
        # One file a mount: of a ConfigMap mounted whole, Cube reads each file once a link, three times in all.
        mounted = {one["mountPath"]: data[one["subPath"]] for one in mounts if one["name"] == "models"}
        assert mounted == {f"/cube/conf/model/{file}": text for file, text in models.items()}
        assert not any(one["mountPath"] in {"/cube", "/cube/conf", "/cube/conf/model"} for one in mounts)


@pytest.mark.requirement("WU2-AC2")
def test_cube_reads_the_platforms_object_store_with_the_platforms_credentials(helm: Helm, chart: Path) -> None:
    objects = rendered(helm, chart)
    environment = {one["name"]: one for one in container(objects, "Deployment", API)["env"]}
    host, _, port = environment["CUBEJS_DB_DUCKDB_S3_ENDPOINT"]["value"].partition(":")
    assert int(port) in {one["port"] for one in objects["Service", host]["spec"]["ports"]}
    for name in ("CUBEJS_DB_DUCKDB_S3_ACCESS_KEY_ID", "CUBEJS_DB_DUCKDB_S3_SECRET_ACCESS_KEY", "CUBEJS_API_SECRET"):
        reference = environment[name]["valueFrom"]["secretKeyRef"]
        assert reference["key"] in objects["Secret", reference["name"]]["data"]


@pytest.mark.requirement("WU2-AC2")
def test_the_values_of_the_page_render(helm: Helm, chart: Path, project_root: Path) -> None:
    page = (project_root / "docs" / "how-to" / "cube.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml \S+\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        assert ("Deployment", API) in rendered(helm, chart, **yaml.safe_load(block)["cube"])
