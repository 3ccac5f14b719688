from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.plugins import Lane, PluginType
from floe_core.plugins.orchestrator import OrchestratorError
from floe_core.spec.problems import SpecError
from floe_orchestrator_dagster.product import DATABASE_ENV, LANE_ENV, STATE_ENV, read_product

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (STATE_ENV, DATABASE_ENV):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_a_product_is_read_with_its_tiers(make_product: Callable[..., Path], tmp_path: Path) -> None:
    product = read_product(make_product())
    assert product.slug == "tiny_product"
    assert product.tiers == {"dear_things": "gold"}
    assert product.state == tmp_path / ".floe" / "products" / "tiny-product"
    assert product.environment[DATABASE_ENV] == str(product.state / "tiny_product.duckdb")


def test_the_state_is_what_the_caller_or_the_environment_says(
    make_product: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_product()
    monkeypatch.setenv(STATE_ENV, str(tmp_path / "named"))
    monkeypatch.setenv(DATABASE_ENV, "/data/x.duckdb")
    assert read_product(folder).state == tmp_path / "named"
    product = read_product(folder, state=tmp_path / "given")
    assert product.state == tmp_path / "given"
    assert product.environment == {
        STATE_ENV: str(tmp_path / "given"),
        DATABASE_ENV: "/data/x.duckdb",
        "DO_NOT_TRACK": "1",
    }


def test_a_compiled_profile_is_preferred(make_product: Callable[..., Path], tmp_path: Path) -> None:
    product = read_product(make_product(), state=tmp_path / "state")
    assert product.profiles_dir == product.folder
    product.state.mkdir()
    (product.state / "profiles.yml").touch()
    assert product.profiles_dir == product.state


PLATFORM = (
    "apiVersion: floe.dev/v1\nkind: Manifest\nmetadata: { name: bench, version: 1.0.0, owner: us }\n"
    "plugins:\n  compute: { type: duckdb }\n  orchestrator: { type: dagster }\n"
)
CATALOG = (
    "  catalog: { type: polaris, config: { client_secret: { env: NOT_SET } } }\n"
    "  storage: { type: s3, config: { bucket: floe-iceberg } }\n"
)


def test_the_platform_is_compiled_when_its_manifest_is_there(make_product: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_text(PLATFORM, encoding="utf-8")
    folder = make_product("platform: { manifest: ../manifest.yaml }\n")
    product = read_product(folder, state=tmp_path / "state")
    chosen = product.chosen(PluginType.COMPUTE)
    assert chosen is not None
    assert chosen.plugin == "duckdb"
    assert product.chosen(PluginType.CATALOG) is None
    profile = tmp_path / "state/profiles.yml"
    assert product.profiles_dir == profile.parent
    written = profile.stat().st_mtime_ns
    read_product(folder, state=tmp_path / "state")
    assert profile.stat().st_mtime_ns == written  # a newer one would have dbt parse everything again
    (tmp_path / "manifest.yaml").unlink()
    assert read_product(folder, state=tmp_path / "other").artifacts is None


def test_the_lane_is_what_the_caller_or_the_environment_says(
    make_product: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "manifest.yaml").write_text(PLATFORM + CATALOG, encoding="utf-8")
    folder = make_product("platform: { manifest: ../manifest.yaml }\n")
    assert read_product(folder, state=tmp_path / "state").lane is Lane.DUCKDB
    monkeypatch.setenv(LANE_ENV, "iceberg")
    product = read_product(folder, state=tmp_path / "state")
    assert (product.target, product.state) == ("iceberg", tmp_path / "state/iceberg")
    assert product.database == tmp_path / "state/iceberg/tiny_product.duckdb"
    assert read_product(folder, state=tmp_path / "state", lane="duckdb").state == tmp_path / "state"
    monkeypatch.setenv(LANE_ENV, "paper")
    with pytest.raises(OrchestratorError, match="no lane 'paper'") as caught:
        read_product(folder, state=tmp_path / "state")
    assert "duckdb, iceberg" in caught.value.why


@pytest.mark.parametrize(("platform", "why"), [(None, "no platform is compiled"), (PLATFORM, "has no such lane")])
def test_a_lane_that_the_platform_does_not_have_is_refused(
    make_product: Callable[..., Path], tmp_path: Path, platform: str | None, why: str
) -> None:
    if platform is not None:
        (tmp_path / "manifest.yaml").write_text(platform, encoding="utf-8")
    folder = make_product("platform: { manifest: ../manifest.yaml }\n")
    with pytest.raises(OrchestratorError, match="cannot be built in the lane iceberg") as caught:
        read_product(folder, state=tmp_path / "state", lane=Lane.ICEBERG)
    assert why in caught.value.why


def test_a_product_without_a_dbt_project_or_without_floe_yaml_is_refused(make_product: Callable[..., Path]) -> None:
    with pytest.raises(OrchestratorError, match="tiny-product has nothing to run"):
        read_product(make_product(without="dbt_project.yml"))
    folder = make_product("nonsense: 1\n")
    with pytest.raises(SpecError, match="nonsense"):
        read_product(folder)
    (folder / "floe.yaml").unlink()
    with pytest.raises(OrchestratorError, match="no product"):
        read_product(folder)
