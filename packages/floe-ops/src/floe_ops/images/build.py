"""Builds images and keeps them: found again by their content, whole or not at all, one builder at a time.

A layer is kept by the key of its part, an image by the keys of its layers and its settings. Two builds of each are
kept, the newest; older ones go when a new one is in place.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_ops.images import layers, recipes
from floe_ops.images.archive import Image, write_archive
from floe_ops.images.layout import Layer
from floe_ops.images.parts import FORMAT, Place, epoch
from floe_ops.toolchain import store
from floe_ops.toolchain.tools import folder as tools_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from floe_ops.images.parts import Part
    from floe_ops.images.recipes import Recipe

ARCHIVE, LAYER = "image.tar", "layer.tar.zst"
REGISTRY = "localhost"
KEPT = 2
SPACE_MB = 3000
LOCK_S = 30 * 60
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
# Where the chart's values name each image.
VALUES = {
    "floe": ("floe", "image"),
    "postgresql": ("postgresql", "image"),
    "minio": ("objectStore", "minio", "image"),
    "seaweedfs": ("objectStore", "seaweedfs", "image"),
    "polaris-standin": ("polaris", "image"),
    "otelcol": ("otel", "image"),
    "jaeger": ("jaeger", "image"),
}
CUBE_VALUES = (("cube", "image"), ("cube", "cubeStore", "image"))


@dataclass(frozen=True)
class BuiltImage:
    """An image that is there.

    Attributes:
        name: Of its recipe.
        reference: As a pod names it.
        archive: The file that holds it.
        digest: Of its manifest.
    """

    name: str
    reference: str
    archive: Path
    digest: str


def folder() -> Path:
    """Where images are kept."""
    return tools_folder() / "images"


def platform_here() -> str:
    """The platform that images are built for: this machine's."""
    return f"linux/{MACHINES.get(platform.machine(), platform.machine())}"


def ensure(names: Iterable[str]) -> dict[str, BuiltImage]:
    """The images of these names, built if need be; several may ask at once, one builds and the others wait.

    Raises:
        UsageError: There is no such image.
        MissingToolError: A tool or a registry of packages that it is made from is not there; says what to do.
        NotReadyError: A build, ours or another process's, does not end.
        FloeError: The folder cannot be written to, or the disk is full.
    """
    return {name: _image(recipes.recipe(name)) for name in dict.fromkeys(names)}


def find(name: str) -> BuiltImage | None:
    """The image of that name as its sources now are, if it was built; nothing is built."""
    wanted = recipes.recipe(name)
    place = _place(wanted)
    return _built(wanted, place) if (place / store.STAMP).is_file() else None


def reference(wanted: Recipe) -> str:
    """How pods name the image: the version, and its content, so that a new build never hides behind an old name."""
    return f"{REGISTRY}/{wanted.name}:{wanted.version}-{_key(wanted)[:8]}"


def overlay(built: Mapping[str, BuiltImage]) -> dict[str, Any]:
    """Values for the chart that put these images in the place of the public ones.

    Images of the cluster's own parts are no part of the chart and are passed over.
    """
    values: dict[str, Any] = {}
    for name, image in built.items():
        for path in (VALUES[name],) if name in VALUES else CUBE_VALUES if name == "cube-standin" else ():
            repository, _, tag = image.reference.rpartition(":")
            said = {"repository": repository, "tag": tag, "digest": "", "pullPolicy": "IfNotPresent"}
            _put(values, path, said)
    if "polaris-standin" in built:
        _put(values, ("polaris", "adminTool"), {"enabled": False})  # it makes its own realm
    return values


def _put(values: dict[str, Any], path: tuple[str, ...], value: Mapping[str, object]) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
    values[path[-1]] = value


def _key(wanted: Recipe) -> str:
    said = repr(
        (FORMAT, epoch(), wanted.name, wanted.version, wanted.settings.as_config(), [part.key for part in wanted.parts])
    )
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _place(wanted: Recipe) -> Path:
    return folder() / f"{wanted.name}-{_key(wanted)}"


def _built(wanted: Recipe, place: Path) -> BuiltImage:
    stamp = json.loads((place / store.STAMP).read_text(encoding="utf-8"))
    return BuiltImage(wanted.name, reference(wanted), place / ARCHIVE, stamp["digest"])


def _image(wanted: Recipe) -> BuiltImage:
    place = _place(wanted)
    if not store.intact(place, ARCHIVE, runs=False):
        with _alone(place, wanted.name):
            if not store.intact(place, ARCHIVE, runs=False):
                _make_image(wanted, place)
    return _built(wanted, place)


def _make_image(wanted: Recipe, place: Path) -> None:
    from floe_ops import console

    with console.step(f"building the image {wanted.name}") as detail:
        found = []
        for part in wanted.parts:
            detail(part.name)
            found.append(_layer(part))
        image = Image(reference(wanted), platform_here(), wanted.settings, found, epoch())
        about: dict[str, object] = {"reference": image.reference}
        with store.making(place, ARCHIVE, about) as temporary:
            about["digest"] = write_archive(temporary / ARCHIVE, image)
    _forget_old(place)


def _layer(part: Part) -> tuple[Layer, Path]:
    """The layer of a part and the file that holds it."""
    place = folder() / f"layer-{part.name}-{part.key}"
    if not store.intact(place, LAYER, runs=False):
        with _alone(place, f"layer-{part.name}"):
            if not store.intact(place, LAYER, runs=False):
                _make_layer(part, place)
    stamp = json.loads((place / store.STAMP).read_text(encoding="utf-8"))
    return Layer(**stamp["layer"]), place / LAYER


def _make_layer(part: Part, place: Path) -> None:
    below = [_layer(needed)[1] for needed in part.needs]
    about: dict[str, object] = {"part": part.name}
    with (
        store.making(place, LAYER, about) as temporary,
        tempfile.TemporaryDirectory(prefix="scratch.", dir=temporary) as scratch,
    ):
        filling = Place(Path(scratch), Path(scratch) / "below")
        filling.root.mkdir()
        for file in below:
            layers.extract(file, filling.root)
        entries = part.fill(filling)
        about["layer"] = asdict(layers.write_layer(temporary / LAYER, entries, epoch=epoch(), compress=True))
    _forget_old(place)


@contextmanager
def _alone(place: Path, name: str) -> Iterator[None]:
    """Hold the lock of an image or a layer while it is made."""
    from filelock import FileLock

    with store.writable(place.parent, SPACE_MB), FileLock(place.parent / f".{name}.lock", timeout=LOCK_S):
        yield


def _forget_old(place: Path) -> None:
    """Remove all but the newest builds of the same image or layer; the caller holds its lock."""
    name = place.name.rpartition("-")[0]
    kept = [path for path in place.parent.glob(f"{name}-*/") if path.name.rpartition("-")[0] == name]
    kept.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    for old in kept[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
