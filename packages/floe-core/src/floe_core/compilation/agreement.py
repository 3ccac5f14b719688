"""Whether `floe.yaml` and the dbt project beside it speak of the same models, read in the same order.

dbt's manifest tells it exactly; without one the text of the files tells most of it. What neither tells is not judged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from floe_core.compilation.graph import Names
from floe_core.spec import problems
from floe_core.spec.source import Advice, Point

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.dbt_manifest import DbtProject, ProjectFile, Reading
    from floe_core.spec.load import Document
    from floe_core.spec.problems import Problem
    from floe_core.spec.product import FloeSpec, Transform

_VERSION: Final = re.compile(r"_v[0-9]+\Z")
_DISABLED: Final = re.compile(r"\benabled\b")


@dataclass
class _Reads:
    """What one model reads: places of the certain calls by name, possible names, and whether that is all."""

    certain: dict[str, str] = field(default_factory=dict)
    possible: set[str] = field(default_factory=set)
    complete: bool = True
    told_by: str = ""


def check(product: Document[FloeSpec], project: DbtProject | None, dbt: Reading) -> Iterator[Problem]:
    """Models without a file, files without a transform, and `dependsOn` against `ref()`."""
    if project is None or not project.has_models:
        return
    names = {transform.name: index for index, transform in enumerate(product.model.transforms)}
    files = _by_model(project, names)
    yield from _not_listed(product, project, dbt, files)
    yield from _without_file(product, dbt, files)
    for name, index in names.items():
        if name in files:
            reads = _reads(project, dbt, name, files[name])
            yield from _contradictions(product, index, reads, names)


def _by_model(project: DbtProject, names: dict[str, int]) -> dict[str, list[ProjectFile]]:
    """The files of each model; `orders_v2` is a version of `orders` where only `orders` is a transform."""
    files: dict[str, list[ProjectFile]] = {}
    for file in project.models:
        base = _VERSION.sub("", file.name)
        name = base if file.name not in names and base in names else file.name
        files.setdefault(name, []).append(file)
    return files


def _not_listed(
    product: Document[FloeSpec], project: DbtProject, dbt: Reading, files: dict[str, list[ProjectFile]]
) -> Iterator[Problem]:
    listed = Names([transform.name for transform in product.model.transforms])
    known = dbt.manifest
    if project.doubt and known is None:
        return
    for name, found in files.items():
        off = name in known.disabled if known else any(_DISABLED.search(file.text) for file in found)
        if name not in listed and not off:
            advice = Advice(
                f"{found[0].path} is a model of the dbt project, and no transform has its name",
                listed.near(name),
                f"add - name: {name} below transforms:, or remove the file",
            )
            yield product.source.problem(problems.MODEL_NOT_LISTED, ("transforms",), advice, Point.HIDDEN)


def _without_file(product: Document[FloeSpec], dbt: Reading, files: dict[str, list[ProjectFile]]) -> Iterator[Problem]:
    on_disk = Names(list(files))
    for index, transform in enumerate(product.model.transforms):
        known = dbt.manifest is not None and transform.name in dbt.manifest.models
        if transform.name not in on_disk and not known:
            advice = Advice(
                "the dbt project has no model of this name",
                on_disk.near(transform.name),
                f"add {transform.name}.sql to its models, or correct the name",
            )
            yield product.source.problem(problems.MODEL_FILE_MISSING, ("transforms", index, "name"), advice)


def _reads(project: DbtProject, dbt: Reading, name: str, files: list[ProjectFile]) -> _Reads:
    """What dbt's manifest says of a model; without it, what all versions of its file say together."""
    model = dbt.manifest.models.get(name) if dbt.manifest else None
    if model is not None:
        return _Reads(dict.fromkeys(model.depends_on, model.path), told_by=model.path)
    reads = _Reads(told_by=files[0].path)
    for file in files:
        refs = project.refs(file)
        for read, line in refs.certain.items():
            reads.certain.setdefault(read, f"{file.path}:{line}")
        reads.possible |= refs.possible
        reads.complete &= refs.complete
    return reads


def _contradictions(product: Document[FloeSpec], index: int, reads: _Reads, names: dict[str, int]) -> Iterator[Problem]:
    transform = product.model.transforms[index]
    declared = set(transform.depends_on)
    unsaid = [read for read in reads.certain if read in names and read not in declared and read != transform.name]
    for name in unsaid:
        advice = Advice(
            f"{reads.certain[name]} reads {name} by ref(), and dependsOn does not say so", "", _all(transform, unsaid)
        )
        loc = ("transforms", index, "dependsOn")
        yield product.source.problem(problems.REF_CONTRADICTS, loc, advice, Point.HIDDEN)
    if not reads.complete:
        return
    for position, name in enumerate(transform.depends_on):
        if name in names and name not in reads.certain and name not in reads.possible:
            advice = Advice(f"{reads.told_by} does not read it by ref()", "", "remove it, or read it in the model")
            yield product.source.problem(problems.REF_CONTRADICTS, ("transforms", index, "dependsOn", position), advice)


def _all(transform: Transform, unsaid: list[str]) -> str:
    return f"write dependsOn: [{', '.join((*transform.depends_on, *unsaid))}]"
