"""The cache of images, with small parts in the place of the real ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import UsageError
from floe_ops.images import build, layers, parts, recipes
from floe_ops.images.archive import read_archive
from floe_ops.images.layout import Settings
from floe_ops.images.parts import Part
from floe_ops.images.recipes import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from floe_ops.images.layers import Entry
    from floe_ops.images.parts import Place

FILLED: list[str] = []


def part(name: str, content: str, needs: tuple[Part, ...] = ()) -> Part:
    def fill(place: Place) -> Iterable[Entry]:
        FILLED.append(name)
        below = sorted(path.name for path in place.root.iterdir())
        return [layers.file(name, content), layers.file(f"{name}.below", json.dumps(below))]

    return Part(name, (content,), fill, needs=needs)


def small(base: str = "b", top: str = "t", settings: Settings | None = None) -> Recipe:
    lower = part("base", base)
    return Recipe("small", "1.0", settings or Settings(), (lower, part("top", top, (lower,))))


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FILLED.clear()
    monkeypatch.setenv("FLOE_TOOLS", str(tmp_path))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    named(monkeypatch, small())


def named(monkeypatch: pytest.MonkeyPatch, wanted: Recipe) -> None:
    monkeypatch.setattr(recipes, "RECIPES", {"small": lambda: wanted})


def places() -> set[str]:
    return {path.name.rpartition("-")[0] for path in build.folder().iterdir() if path.is_dir()}


def test_an_image_is_built_once_and_found_again() -> None:
    assert build.find("small") is None
    first = build.ensure(["small"])["small"]
    assert FILLED == ["base", "top"]
    assert build.ensure(["small"])["small"] == first == build.find("small")
    assert FILLED == ["base", "top"]
    held = read_archive(first.archive)
    assert (held.reference, held.digest) == (first.reference, first.digest)
    assert first.reference.startswith("localhost/small:1.0-")
    assert places() == {"small", "layer-base", "layer-top"}


def test_a_part_sees_the_files_of_those_it_needs(tmp_path: Path) -> None:
    build.ensure(["small"])
    (top,) = build.folder().glob("layer-top-*")
    layers.extract(top / build.LAYER, tmp_path / "root")
    assert json.loads((tmp_path / "root/top.below").read_text(encoding="utf-8")) == ["base", "base.below"]


def test_a_changed_input_makes_only_what_depends_on_it_new(monkeypatch: pytest.MonkeyPatch) -> None:
    first = build.ensure(["small"])["small"]
    named(monkeypatch, small(top="other"))
    second = build.ensure(["small"])["small"]
    assert FILLED == ["base", "top", "top"]
    assert second.reference != first.reference
    named(monkeypatch, small(top="other", settings=Settings(user="1000")))
    third = build.ensure(["small"])["small"]
    assert FILLED == ["base", "top", "top"]  # another setting is another image of the same layers
    assert third.digest != second.digest
    named(monkeypatch, small(base="new", top="other"))
    build.ensure(["small"])
    assert FILLED[3:] == ["base", "top"]


def test_another_time_is_another_image(monkeypatch: pytest.MonkeyPatch) -> None:
    first = build.ensure(["small"])["small"]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    second = build.ensure(["small"])["small"]
    assert read_archive(second.archive).config["created"] == "2023-11-14T22:13:20Z"
    assert second.digest != first.digest


def test_two_builds_are_byte_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build.ensure(["small"])["small"]
    monkeypatch.setenv("FLOE_TOOLS", str(tmp_path / "elsewhere"))
    second = build.ensure(["small"])["small"]
    assert first.archive != second.archive
    assert first.archive.read_bytes() == second.archive.read_bytes()


def test_a_damaged_image_is_made_again() -> None:
    first = build.ensure(["small"])["small"]
    content = first.archive.read_bytes()
    first.archive.write_bytes(content[:-1] + b"x")
    assert build.ensure(["small"])["small"].archive.read_bytes() == content
    assert FILLED == ["base", "top"]  # its layers were whole


def test_a_build_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_place: Place) -> Iterable[Entry]:
        yield layers.file("half", "way")
        raise UsageError("cannot")

    named(monkeypatch, Recipe("small", "1", Settings(), (Part("top", ("x",), fails),)))
    with pytest.raises(UsageError, match="cannot"):
        build.ensure(["small"])
    assert [path for path in build.folder().iterdir() if path.is_dir()] == []


def test_several_that_ask_at_once_share_one_build() -> None:
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: build.ensure(["small"])["small"], range(4)))
    assert len(found) == 1
    assert FILLED == ["base", "top"]


def test_the_two_newest_builds_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for content in "1234":
        named(monkeypatch, small(top=content))
        newest = build.ensure(["small"])["small"]
    assert len(list(build.folder().glob("small-*"))) == build.KEPT
    assert len(list(build.folder().glob("layer-top-*"))) == build.KEPT
    assert newest.archive.is_file()
    assert len(list(build.folder().glob("layer-base-*"))) == 1


KILLED = """
import os, signal, sys
from floe_ops.images import build, layers, recipes
from floe_ops.images.layout import Settings
from floe_ops.images.parts import Part
from floe_ops.images.recipes import Recipe

def fill(place):
    (place.scratch / "half").write_text("way")
    if sys.argv[1:] == ["die"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return [layers.file("whole", "yes")]

recipes.RECIPES = {"small": lambda: Recipe("small", "1", Settings(), (Part("top", ("x",), fill),))}
print(build.ensure(["small"])["small"].archive)
"""


def test_a_build_that_was_killed_is_made_whole_by_the_next(tmp_path: Path) -> None:
    program = tmp_path / "build.py"
    program.write_text(KILLED, encoding="utf-8")
    killed = subprocess.run([sys.executable, str(program), "die"], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    left = [path for path in build.folder().iterdir() if path.is_dir()]
    assert len(left) == 1
    assert left[0].name.startswith(".layer-top-")  # half made, and never taken for whole
    done = subprocess.run([sys.executable, str(program)], check=True, capture_output=True, text=True)
    assert read_archive(Path(done.stdout.splitlines()[-1])).reference.startswith("localhost/small:1-")
    assert not any(path.name.startswith(".") for path in build.folder().iterdir() if path.is_dir())


def test_there_is_no_image_of_another_name() -> None:
    with pytest.raises(UsageError, match="no image named 'large'"):
        build.ensure(["large"])


def test_the_overlay_names_what_was_built_where_the_chart_looks(tmp_path: Path) -> None:
    def built(name: str) -> build.BuiltImage:
        return build.BuiltImage(name, f"localhost/{name}:1-ab", tmp_path, "sha256:1")

    names = ("floe", "minio", "polaris-standin", "cube-standin", "pause")
    values = build.overlay({name: built(name) for name in names})
    assert values["floe"]["image"] == {
        "repository": "localhost/floe", "tag": "1-ab", "digest": "", "pullPolicy": "IfNotPresent",
    }  # fmt: skip
    assert values["objectStore"] == {"minio": {"image": {**values["floe"]["image"], "repository": "localhost/minio"}}}
    assert values["polaris"]["adminTool"] == {"enabled": False}
    assert values["cube"]["image"] == values["cube"]["cubeStore"]["image"]
    assert sorted(values) == ["cube", "floe", "objectStore", "polaris"]


def test_the_epoch_is_zero_unless_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parts.epoch() == 0
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "5")
    assert parts.epoch() == int(os.environ["SOURCE_DATE_EPOCH"])
