"""YAML file → frozen model, with a place for everything that is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from floe_core.errors import ExitCode
from floe_core.spec import literals, problems, yamltree
from floe_core.spec.explain import explain
from floe_core.spec.platform import PlatformManifest
from floe_core.spec.problems import Problem, SpecError
from floe_core.spec.product import FloeSpec
from floe_core.spec.source import Advice, Point, Source

if TYPE_CHECKING:
    from pathlib import Path

M = TypeVar("M", bound=BaseModel)
PRODUCT_FILE = "floe.yaml"


@dataclass(frozen=True)
class Document(Generic[M]):
    """A loaded file.

    Attributes:
        path: The file as the caller named it.
        raw: The bytes that were read.
        source: The tree that knows where everything stood.
        model: The validated content.
    """

    path: Path
    raw: bytes
    source: Source
    model: M


def load_product(path: Path) -> Document[FloeSpec]:
    """The product in `path`, a file or the folder of a `floe.yaml`.

    Raises:
        SpecError: With everything that is wrong.
    """
    return load(path / PRODUCT_FILE if path.is_dir() else path, FloeSpec)


def load_manifest(path: Path) -> Document[PlatformManifest]:
    """The manifest in the file `path`.

    Raises:
        SpecError: With everything that is wrong.
    """
    return load(path, PlatformManifest)


def load(path: Path, model: type[M]) -> Document[M]:
    """Read and validate one file.

    Raises:
        SpecError: With everything that is wrong: unreadable file, no YAML, literal credentials, the schema.
    """
    raw = _read(path)
    try:
        source = Source(str(path), yamltree.parse(raw))
    except yamltree.YamlError as error:
        place = (str(path), error.line, error.column)
        raise SpecError([Problem(problems.NOT_YAML, *place, "", "", error.reason, remedy=error.remedy)]) from None
    found = [
        source.problem(problems.LITERAL_SECRET, loc, Advice(reason, remedy=BY_REFERENCE), Point.HIDDEN)
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
    return Document(path, raw, source, parsed)


BY_REFERENCE = "write where the secret lies: {env: NAME} or {file: PATH}"


def _read(path: Path) -> bytes:
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
