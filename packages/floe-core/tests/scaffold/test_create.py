"""A new product is whole and right, or it is not there."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml
from floe_core.compilation import validate_product
from floe_core.errors import UsageError, WrongStateError
from floe_core.scaffold import create
from floe_core.spec.problems import SpecError
from hypothesis import given
from hypothesis import strategies as st


def test_a_new_product_keeps_every_rule_of_its_own_platform(tmp_path: Path) -> None:
    home = create("order-insights", tmp_path)
    verdict = validate_product(home).summary
    assert (verdict.error_count, verdict.warning_count) == (0, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["order-insights"]
    assert home.stat().st_mode & 0o777 == 0o755


def test_its_dbt_project_says_what_its_floe_yaml_says(tmp_path: Path) -> None:
    home = create("order-insights", tmp_path)
    spec = yaml.safe_load((home / "floe.yaml").read_text())
    project = yaml.safe_load((home / "dbt_project.yml").read_text())
    models = {path.stem for path in home.glob("models/*/*.sql")}
    assert project["name"] == project["profile"] == "order_insights"
    assert {one["name"] for one in spec["transforms"]} == models == {"stg_orders", "mart_daily_orders"}
    documented = [one for path in home.glob("models/*/*.yml") for one in yaml.safe_load(path.read_text())["models"]]
    assert {one["name"] for one in documented if one["description"]} == models
    with (home / "seeds" / "raw_orders.csv").open() as stream:
        assert len(list(csv.DictReader(stream))) == 5
    assert not [path for path in home.rglob("*") if path.is_file() and "${" in path.read_text()]


def test_the_platforms_manifest_is_named_and_not_copied(tmp_path: Path, example: Path) -> None:
    home = create("orders-two", tmp_path / "a folder" / "deep", example / "manifest.yaml")
    assert not (home / "manifest.yaml").exists()
    named = yaml.safe_load((home / "floe.yaml").read_text())["platform"]["manifest"]
    assert (home / named).resolve() == (example / "manifest.yaml").resolve()


@pytest.mark.parametrize("strange", ["it's 100% #mine: really", 'a "quoted" b', "ünïcode \\ back"])
def test_a_manifest_in_a_strange_folder_is_found(tmp_path: Path, example: Path, strange: str) -> None:
    moved = example.rename(tmp_path / strange)
    assert validate_product(create("orders-two", tmp_path, moved / "manifest.yaml")).summary.passed


@pytest.mark.parametrize("kind", ["file", "full folder", "link to nowhere"])
def test_nothing_is_overwritten(tmp_path: Path, kind: str) -> None:
    home = tmp_path / "orders"
    if kind == "file":
        home.write_text("mine")
    elif kind == "full folder":
        home.mkdir()
        (home / "mine").write_text("mine")
    else:
        home.symlink_to(tmp_path / "nowhere")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match="orders cannot be made"):
        create("orders", tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    assert (create("orders", tmp_path) / "floe.yaml").is_file()


@pytest.mark.parametrize("place", ["made", "made/../made"])
def test_a_platform_that_refuses_the_product_leaves_nothing(tmp_path: Path, example: Path, place: str) -> None:
    manifest = example / "manifest.yaml"
    content = yaml.safe_load(manifest.read_text())
    content["governance"] = {"policy_enforcement_level": "strict", "require_classification": True}
    manifest.write_text(yaml.safe_dump(content))
    with pytest.raises(SpecError) as caught:
        create("orders-two", tmp_path / place, manifest)
    assert caught.value.problems[0].file == str(tmp_path / "made" / "orders-two" / "floe.yaml")
    assert list((tmp_path / "made").iterdir()) == []


def test_a_manifest_that_is_not_there_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SpecError):
        create("orders", tmp_path / "made", tmp_path / "no.yaml")
    assert not (tmp_path / "made").exists()


def test_a_place_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WrongStateError, match="cannot be made"):
        create("orders", tmp_path / "file" / "below")


def test_a_wrong_name_is_answered_with_a_right_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        create("Order Insights!", tmp_path)
    assert caught.value.remedy == "floe init order-insights"
    assert list(tmp_path.iterdir()) == []


@given(st.text(max_size=80))
def test_any_name_is_made_or_refused(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    try:
        made = create(name, folder)
    except UsageError:
        assert list(folder.iterdir()) == []
    else:
        assert made == folder / name
        assert validate_product(made).summary.passed
