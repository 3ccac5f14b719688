"""Makes a product from the templates beside this module: whole, checked, or not at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Final

from floe_core.errors import UsageError, WrongStateError
from floe_core.spec.problems import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN_MANIFEST: Final = "manifest.yaml"
DEFAULT_OWNER: Final = "data-team"
_NAME: Final = re.compile(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9]))*\Z")
_RENAMED: Final = {"gitignore": ".gitignore"}
MAX_NAME: Final = 63


def create(name: str, folder: Path, manifest: Path | None = None) -> Path:
    """Make the product `name` in `folder`, and check it as `floe validate` would.

    Args:
        name: The product's name; its folder is called like that.
        folder: Where to make it; made when it is missing.
        manifest: The platform's manifest; the product gets one of its own where it is None.

    Returns:
        The product's folder.

    Raises:
        UsageError: The name is none, or its folder is taken.
        SpecError: The manifest is wrong, or its platform refuses such a product.
        WrongStateError: The place cannot be written to.
    """
    _check(name)
    home = folder / name
    if home.is_symlink() or (home.exists() and (not home.is_dir() or any(home.iterdir()))):
        raise _taken(home)
    if manifest is not None:
        _check_manifest(manifest)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        _fill(draft, _words(name, home, manifest), own=manifest is None)
        _validate(draft, home)
        draft.chmod(0o755)  # mkdtemp makes private folders
        draft.rename(home)
    except OSError as error:
        # Somebody else may have made it in the meantime: a rename does not replace a folder that holds something.
        raise (_taken(home) if home.exists() else _unwritable(folder, error)) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return home


def _check(name: str) -> None:
    if _NAME.match(name) and len(name) <= MAX_NAME:
        return
    better = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:MAX_NAME].strip("-")
    raise UsageError(
        f"{name[:80]!r} is no name for a product",
        why=f"it takes lower-case letters, digits and single dashes, begins with a letter, {MAX_NAME} at most",
        remedy=f"floe init {better}" if better else "floe init order-insights",
    )


def _check_manifest(manifest: Path) -> None:
    from floe_core.spec.load import load_manifest

    load_manifest(manifest)


def _words(name: str, home: Path, manifest: Path | None) -> dict[str, str]:
    place = OWN_MANIFEST if manifest is None else os.path.relpath(manifest.resolve(), home.resolve())
    slug = name.replace("-", "_")
    return {
        "title": name,
        "name": _yaml(name),
        "slug": _yaml(slug),
        "place": place,
        "manifest": _yaml(place),
        "owner": DEFAULT_OWNER,
    }


def _yaml(text: str) -> str:
    """The text as YAML takes it for this text: `null` and a path with a quote in it need quotes, which are JSON's."""
    import yaml

    try:
        plain = yaml.safe_load(f"key: {text}") == {"key": text}
    except yaml.YAMLError:
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)


def _fill(draft: Path, words: dict[str, str], *, own: bool) -> None:
    for relative, text in _templates():
        if relative == Path(OWN_MANIFEST) and not own:
            continue
        path = draft / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).substitute(words), encoding="utf-8", newline="\n")


def _templates() -> Iterator[tuple[Path, str]]:
    """Each template: where it goes, and its text."""
    with as_file(files("floe_core.scaffold").joinpath("templates")) as folder:
        for path in sorted(folder.rglob("*.tmpl")):
            relative = path.relative_to(folder).with_suffix("")
            yield relative.with_name(_RENAMED.get(relative.name, relative.name)), path.read_text(encoding="utf-8")


def _validate(draft: Path, home: Path) -> None:
    """Hold the draft to its platform; what is wrong is told with the names that the files would have."""
    from floe_core.compilation import validate_product
    from floe_core.spec.load import plain

    try:
        validate_product(draft)
    except SpecError as error:
        there, here = str(plain(draft)), str(plain(home))
        found = [replace(one, file=one.file.replace(there, here)) for one in error.problems]
        raise SpecError(found, exit_code=error.exit_code) from None


def _taken(home: Path) -> UsageError:
    return UsageError(
        f"{home.name} cannot be made",
        where=str(home),
        why="there is something of that name, and nothing is overwritten",
        remedy="choose another name, or another folder with --dir",
    )


def _unwritable(folder: Path, error: OSError) -> WrongStateError:
    return WrongStateError(
        "the product cannot be made",
        where=str(folder),
        why=(error.strerror or type(error).__name__).lower(),
        remedy="choose another folder with --dir",
    )
