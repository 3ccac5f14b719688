from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from floe_ops.audits.leaks import surfaces
from floe_ops.audits.leaks.staging import Staging
from floe_ops.images import recipes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def fill(tmp_path: Path) -> Staging:
    folder = tmp_path / "staged"
    folder.mkdir()
    return Staging(folder)


def test_what_only_the_owner_can_read_is_where_secrets_belong(tmp_path: Path, fill: Staging) -> None:
    run = tmp_path / ".floe" / "run"
    run.mkdir(parents=True)
    for name, mode in {"a.log": 0o644, "group.log": 0o640, "secrets.json": 0o600}.items():
        (run / name).write_text(name, encoding="utf-8")
        (run / name).chmod(mode)
    (run / "link").symlink_to(run / "secrets.json")
    assert surfaces.runs(tmp_path / ".floe", fill) == "2 logs and reports of runs"


def test_own_layers_are_those_of_the_recipes(tmp_path: Path) -> None:
    names = {
        part.name for recipe in ("floe", "polaris-standin", "cube-standin") for part in recipes.recipe(recipe).parts
    }
    assert set(surfaces.OWN_LAYERS) <= names
    assert {"python-base", "libraries"} <= names - set(surfaces.OWN_LAYERS)


def test_of_each_own_layer_the_newest_is_looked_at(
    tmp_path: Path, fill: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(Staging, "add_archive", lambda _self, layer, _inside: opened.append(layer.parent.name))
    names = (
        "layer-floe-1",
        "layer-floe-2",
        "layer-libraries-1",
        "layer-polaris-standin-libraries-1",
        "layer-products-1",
    )
    for age, name in enumerate(names):
        path = tmp_path / name / "layer.tar.zst"
        path.parent.mkdir()
        path.touch()
        os.utime(path, (1000 + age, 1000 + age))
    assert surfaces.images(tmp_path, fill) == "2 own image layers"
    assert sorted(opened) == ["layer-floe-2", "layer-products-1"]
    assert surfaces.images(tmp_path / "none", fill).startswith("no image layer")
