"""YAML file → frozen model, with a place for everything that is wrong."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from floe_core.errors import ExitCode
from floe_core.spec import literals, problems, yamltree
from floe_core.spec.explain import explain
from floe_core.spec.platform import DomainManifest, PlatformManifest, Scope
from floe_core.spec.problems import Problem, SpecError
from floe_core.spec.product import FloeSpec
from floe_core.spec.source import Advice, Point, Source

M = TypeVar("M", bound=BaseModel)
PRODUCT_FILE = "floe.yaml"


@dataclass(frozen=True)
class Document(Generic[M]):
    """A loaded file.

    Attributes:
        path: The file as the caller named it, without detours (see `plain`).
        raw: The bytes that were read.
        source: The tree that knows where everything stood, of a domain's manifest also what stands in its parent.
        model: The validated content.
        parents: The files that the content was joined with, nearest first; only a domain's manifest has one.
    """

    path: Path
    raw: bytes
    source: Source
    model: M
    parents: tuple[Document[Any], ...] = ()

    @property
    def raws(self) -> tuple[bytes, ...]:
        """The bytes of every file that the content comes from, this one first; a hash of the input covers all."""
        return (self.raw, *(parent.raw for parent in self.parents))


@dataclass(frozen=True)
class Text:
    """A file that was read and parsed, and not yet validated.

    Attributes:
        path: The file as the caller named it, without detours (see `plain`).
        raw: The bytes that were read.
        source: The tree.
    """

    path: Path
    raw: bytes
    source: Source


def load_product(path: Path) -> Document[FloeSpec]:
    """The product in `path`, a file or the folder of a `floe.yaml`.

    Raises:
        SpecError: With everything that is wrong.
    """
    return load(path / PRODUCT_FILE if path.is_dir() else path, FloeSpec)


def load_manifest(path: Path) -> Document[PlatformManifest]:
    """The manifest in the file `path`; one of scope `domain` comes joined with its parent.

    `source.problem(code, loc, …)` of the document points into the file where the setting at `loc` stands: into the
    parent's for what the domain has from there.

    Raises:
        SpecError: With everything that is wrong, in either file.
    """
    text = read(path)
    if text.source.value(("scope",)) != Scope.DOMAIN:
        return validated(text, PlatformManifest)
    from floe_core.spec.inherit import with_parent

    return with_parent(validated(text, DomainManifest))


def load(path: Path, model: type[M]) -> Document[M]:
    """Read and validate one file.

    Raises:
        SpecError: With everything that is wrong: unreadable file, no YAML, literal credentials, the schema.
    """
    return validated(read(path), model)


def read(path: Path) -> Text:
    """Read and parse one file.

    Raises:
        SpecError: It cannot be read, or is no YAML.
    """
    path = plain(path)
    raw = _bytes(path)
    try:
        return Text(path, raw, Source(str(path), yamltree.parse(raw)))
    except yamltree.YamlError as error:
        place = (str(path), error.line, error.column)
        raise SpecError([Problem(problems.NOT_YAML, *place, "", "", error.reason, remedy=error.remedy)]) from None


def validated(text: Text, model: type[M]) -> Document[M]:
    """Validate what was read.

    Raises:
        SpecError: With everything that is wrong: literal credentials, the schema.
    """
    source = text.source
    found = [
        source.problem(problems.LITERAL_SECRET, loc, Advice(reason, remedy=literals.BY_REFERENCE), Point.HIDDEN)
        for loc, reason in literals.find(source.root)
    ]
    try:
        parsed = model.model_validate(source.root.plain())
    except ValidationError as error:
        taken = {one.field for one in found}
        found += [one for one in explain(error, source, model) if one.field not in taken]
        raise SpecError(found) from None
    if found:
        raise SpecError(found)
    return Document(text.path, text.raw, source, parsed)


def plain(path: Path) -> Path:
    """`path` as a person would write it: `shop/../manifest.yaml` is `manifest.yaml`.

    A path without detours stays as it is. Where a link is on the way, `..` leads elsewhere than the words say; such a
    file is told by its real place.
    """
    if ".." not in path.parts:
        return path
    short = Path(os.path.normpath(path))
    try:
        if (real := path.resolve()) != short.resolve():
            return min(real, Path(os.path.relpath(real)), key=_length)
        return short if short.is_absolute() else min(short, real, key=_length)
    except (OSError, ValueError, RuntimeError):  # a loop of links, or a NUL in the path; reading it tells that
        return path


def _length(path: Path) -> int:
    return len(str(path))


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(yamltree.MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
    except ValueError:  # a NUL in the path
        reason = "this is no path"
    remedy = "name a product's folder, a floe.yaml or a manifest.yaml that is there"
    problem = Problem(problems.UNREADABLE, str(path), 0, 0, "", "", reason, remedy=remedy)
    raise SpecError([problem], exit_code=ExitCode.USAGE)
