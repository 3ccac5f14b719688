from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.plugins.orchestrator import OrchestratorError
from floe_core.spec.problems import SpecError
from floe_orchestrator_dagster.product import DATABASE_ENV, STATE_ENV, read_product

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


def test_a_product_without_a_dbt_project_or_without_floe_yaml_is_refused(make_product: Callable[..., Path]) -> None:
    with pytest.raises(OrchestratorError, match="tiny-product has nothing to run"):
        read_product(make_product(without="dbt_project.yml"))
    folder = make_product("nonsense: 1\n")
    with pytest.raises(SpecError, match="nonsense"):
        read_product(folder)
    (folder / "floe.yaml").unlink()
    with pytest.raises(OrchestratorError, match="no product"):
        read_product(folder)
