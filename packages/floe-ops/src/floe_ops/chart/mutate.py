"""Whether the chart's unit tests can fail: each small wrong change is made in a copy, and a test should see it."""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError

from floe_ops import toolchain
from floe_ops.chart import mutations, unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from floe_ops.chart.mutations import Mutation

AT_ONCE = 4  # test files; most changes are seen by the first ones


@dataclass(frozen=True)
class Survival:
    """How many changes were made to one chart, and those that no test saw."""

    chart: str
    possible: int
    made: int
    survivors: tuple[Mutation, ...]


def run(
    chart: Path, most: int, tell: Callable[[str], None] = lambda _line: None, program: Path | None = None
) -> Survival:
    """Make at most so many changes to the chart's templates, one at a time, as many side by side as there are cores.

    Args:
        chart: Its folder; it is not touched.
        most: How many changes to make; they are spread over all templates.
        tell: Takes a line for each that survives.
        program: helm-unittest; built when none is given.

    Raises:
        MissingToolError: helm-unittest cannot be had.
        WrongStateError: A test fails already without any change.
    """
    program = program or toolchain.ensure(unit.TOOL)
    before = unit.run(chart, program=program)
    if before.failures:
        raise WrongStateError(
            "the chart's unit tests fail as it is",
            where=str(chart),
            why=before.failures[0].test,
            remedy="run `invoke helm.unit` and correct what it tells",
        )
    possible = mutations.every(chart)
    chosen = mutations.some(possible, most)

    def one(mutation: Mutation) -> bool:
        seen = _seen(chart, mutation, program)
        if not seen:
            tell(f"no test saw {mutation}")
        return seen

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        seen = list(pool.map(one, chosen))
    survivors = tuple(mutation for mutation, found in zip(chosen, seen, strict=True) if not found)
    return Survival(chart.name, len(possible), len(chosen), survivors)


def _seen(chart: Path, mutation: Mutation, program: Path) -> bool:
    """Whether a test fails with the change made; a few files at a time, those that name the template first."""
    with tempfile.TemporaryDirectory(prefix="floe-mutant-") as scratch:
        copy = Path(scratch) / chart.name
        shutil.copytree(chart, copy, ignore=shutil.ignore_patterns("__snapshot__"))
        file = copy / mutation.file
        file.write_text(mutation.apply(file.read_text(encoding="utf-8")), encoding="utf-8")
        ordered = _ordered(copy, mutation.file)
        few = (ordered[start : start + AT_ONCE] for start in range(0, len(ordered), AT_ONCE))
        return any(_fails(copy, files, program) for files in few)


def _fails(chart: Path, files: Sequence[str], program: Path) -> bool:
    try:
        return bool(unit.run(chart, files=files, program=program).failures)
    except WrongStateError:
        return True  # it no longer renders at all


def _ordered(chart: Path, template: str) -> list[str]:
    """The test files, those that name a template first."""
    name = template.removeprefix("templates/")
    files = sorted((chart / "tests").glob("*_test.yaml"))
    ordered = sorted(files, key=lambda file: name not in file.read_text(encoding="utf-8"))
    return [file.relative_to(chart).as_posix() for file in ordered]
