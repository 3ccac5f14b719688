"""The dbt project beside a `floe.yaml`, as files: what is there, read once, bounded, and no template run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from floe_core.dbt_manifest.refs import Refs, harmless_macros, scan_python, scan_sql
from floe_core.spec import yamltree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROJECT_FILE: Final = "dbt_project.yml"
MAX_FILES: Final = 100_000
MAX_FILE_BYTES: Final = 2 * 1024 * 1024
_PATHS: Final = {
    "model-paths": ("models",),
    "macro-paths": ("macros",),
    "test-paths": ("tests",),
    "seed-paths": ("seeds",),
    "snapshot-paths": ("snapshots",),
}
_YAML: Final = frozenset({".yml", ".yaml"})
_MODELS: Final = frozenset({".sql", ".py"})


@dataclass(frozen=True)
class ProjectFile:
    """One file of a dbt project.

    Attributes:
        path: Relative to the product's folder, with forward slashes.
        text: What stands in it; bytes that are no UTF-8 are replaced, so that it can be looked through.
        modified_s: When it was last changed, in seconds since 1970.
    """

    path: str
    text: str
    modified_s: float

    @property
    def name(self) -> str:
        """The model's name, where it is a model: the file's without its ending."""
        return PurePosixPath(self.path).stem


@dataclass(frozen=True)
class DbtProject:
    """The dbt project in a product's folder.

    Attributes:
        folder: The product's folder.
        name: The project's name; empty where `dbt_project.yml` does not tell it in plain words.
        target_path: Where dbt writes its manifest, relative to the folder.
        models: The files of models, SQL and Python, sorted by path.
        documents: The YAML files, `dbt_project.yml` among them.
        others: SQL files of macros, tests and snapshots.
        has_models: Whether a folder for models is there.
        doubt: Why the models on disk may not all be models; empty where they are.
    """

    folder: Path
    name: str
    target_path: str
    models: tuple[ProjectFile, ...]
    documents: tuple[ProjectFile, ...]
    others: tuple[ProjectFile, ...]
    has_models: bool = True
    doubt: str = ""

    @cached_property
    def harmless(self) -> frozenset[str]:
        """The project's own macros that read no model."""
        return harmless_macros([one.text for one in self.others if "macro" in one.text])

    def refs(self, file: ProjectFile) -> Refs:
        """What a model reads, as far as its text tells."""
        if file.path.endswith(".py"):
            return scan_python(file.text, package=self.name)
        return scan_sql(file.text, package=self.name, harmless=self.harmless)


def find(folder: Path) -> DbtProject | None:
    """The dbt project in `folder`; None where neither `dbt_project.yml` nor a folder `models` is there."""
    told = _told(folder)
    if told is None and not (folder / "models").is_dir():
        return None
    settings: Mapping[str, Any] = told or {}
    paths = {key: _words(settings.get(key), default) for key, default in _PATHS.items()}
    walk = _Walk(folder)
    found = {key: list(walk.files(names)) for key, names in paths.items()}
    ignored = (folder / ".dbtignore").exists()
    disabled = "+enabled" in str(settings.get("models", "")) or "'enabled'" in str(settings.get("models", ""))
    doubts = (
        (ignored, "there is a .dbtignore"),
        (disabled, f"{PROJECT_FILE} disables models"),
        (walk.full, "too many"),
    )
    name, target = settings.get("name"), settings.get("target-path")
    return DbtProject(
        folder=folder,
        name=name if isinstance(name, str) and "{{" not in name else "",
        target_path=target if isinstance(target, str) and target and "{{" not in target else "target",
        models=tuple(one for one in found["model-paths"] if PurePosixPath(one.path).suffix in _MODELS),
        documents=(*walk.top(), *(one for files in found.values() for one in files if _is_yaml(one.path))),
        others=tuple(
            one for key, files in found.items() if key != "model-paths" for one in files if one.path.endswith(".sql")
        ),
        has_models=any((folder / name).is_dir() for name in paths["model-paths"]),
        doubt=next((why for doubtful, why in doubts if doubtful), ""),
    )


def _told(folder: Path) -> Mapping[str, Any] | None:
    """What `dbt_project.yml` says; {} where it cannot be read, because saying so is dbt's part; None without one."""
    path = folder / PROJECT_FILE
    if not path.is_file():
        return None
    try:
        with path.open("rb") as stream:
            told = yamltree.parse(stream.read(MAX_FILE_BYTES)).plain()
    except (OSError, yamltree.YamlError):
        return {}
    return told if isinstance(told, dict) else {}


def _words(value: object, default: tuple[str, ...]) -> tuple[str, ...]:
    """Folders in plain words; the default where none are given, and none of those outside of the project."""
    names = tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else default
    return tuple(one for one in names if "{{" not in one and "\0" not in one and ".." not in PurePosixPath(one).parts)


def _is_yaml(path: str) -> bool:
    return PurePosixPath(path).suffix in _YAML


class _Walk:
    """Reads the files below some folders, each once, and no more than a bound."""

    def __init__(self, folder: Path) -> None:
        self.full = False
        self._folder = folder
        self._seen: set[tuple[int, int]] = set()
        self._count = 0

    def top(self) -> Iterator[ProjectFile]:
        """The YAML files of the project's own folder, without `floe.yaml`."""
        for path in sorted(self._folder.glob("*.y*ml")):
            if _is_yaml(path.name) and path.name != "floe.yaml" and (file := self._read(path)) is not None:
                yield file

    def files(self, names: tuple[str, ...]) -> Iterator[ProjectFile]:
        """The SQL, Python and YAML files below `names`, sorted by path; a folder that was seen is left out."""
        for name in names:
            yield from self._below(self._folder / name)

    def _below(self, top: Path) -> Iterator[ProjectFile]:
        for folder, folders, names in os.walk(top, followlinks=True):
            folders[:] = [one for one in sorted(folders) if self._new(Path(folder, one))]
            for name in sorted(names):
                path = Path(folder, name)
                if path.suffix not in _MODELS | _YAML or name.startswith("."):
                    continue
                self.full |= self._count >= MAX_FILES
                if self.full:
                    return
                self._count += 1
                if (file := self._read(path)) is not None:
                    yield file

    def _new(self, folder: Path) -> bool:
        try:
            there = folder.stat()
        except OSError:
            return False
        key = (there.st_dev, there.st_ino)
        known = key in self._seen
        self._seen.add(key)
        return not known

    def _read(self, path: Path) -> ProjectFile | None:
        try:
            with path.open("rb") as stream:
                raw, there = stream.read(MAX_FILE_BYTES + 1), os.fstat(stream.fileno())
        except OSError:
            return None
        if len(raw) > MAX_FILE_BYTES:
            return None
        relative = Path(os.path.relpath(path, self._folder)).as_posix()
        return ProjectFile(relative, raw.decode("utf-8", "replace"), there.st_mtime)
