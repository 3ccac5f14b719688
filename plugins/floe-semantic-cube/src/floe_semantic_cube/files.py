"""The folder of the data model: each file appears whole, and only files that bear our mark are changed or removed."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from floe_core.plugins import SemanticLayerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MARK = "# Written by floe from dbt's manifest; the next generation replaces it."
FOLDERS = ("cubes", "views")


class _Dumper(yaml.SafeDumper):
    """Block style, and no aliases: Cube's reader and people see each value where it is used."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def rendered(document: Mapping[str, Any]) -> str:
    """One YAML file, with the mark; the same document gives the same text."""
    body = yaml.dump(
        dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=1_000_000
    )
    return f"{MARK}\n{body}"


def replace(root: Path, texts: Mapping[str, str]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Make `texts` (by path below `root`) the files that bear the mark; the files kept, and those removed.

    A file whose content is the same is not touched, so that a running Cube compiles only what changed.

    Raises:
        SemanticLayerError: A file of somebody else is in the way, or the folder cannot be written.
    """
    wanted = {root / name: text for name, text in sorted(texts.items())}
    try:
        for folder in {path.parent for path in wanted} | {root / name for name in FOLDERS if (root / name).exists()}:
            _real(folder, root)
        for path in wanted:
            _ours(path)
        stale = tuple(path for path in _marked(root) if path not in wanted)
        for path, text in wanted.items():
            _write(path, text)
        for path in stale:
            path.unlink(missing_ok=True)
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else "a file is no UTF-8 text") or type(error).__name__
        raise SemanticLayerError(
            "the data model cannot be written", where=str(root), why=why, remedy="give a folder that can be written"
        ) from None
    return tuple(wanted), stale


def _real(folder: Path, root: Path) -> None:
    if folder.is_symlink() or not folder.resolve().is_relative_to(root.resolve()):
        raise _in_the_way(folder, "it is a link, and what lies behind it is not ours to change")


def _ours(path: Path) -> None:
    if path.is_symlink() or (path.exists() and not _is_marked(path)):
        raise _in_the_way(path, "it is there already and does not bear the mark of a generated file")


def _in_the_way(path: Path, why: str) -> SemanticLayerError:
    return SemanticLayerError(
        f"{path.name} is in the way",
        where=str(path),
        why=why,
        remedy="move it, or rename the cube with `meta: {cube: {name: ...}}`",
    )


def _marked(root: Path) -> list[Path]:
    found = [path for folder in FOLDERS for path in (root / folder).glob("*.yml")]
    return sorted(path for path in found if path.is_file() and not path.is_symlink() and _is_marked(path))


def _is_marked(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(MARK)) == MARK.encode()


def _write(path: Path, text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # No .yml, so that Cube does not read a half-written file.
    handle, temporary = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
