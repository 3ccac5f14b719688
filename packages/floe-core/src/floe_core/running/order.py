"""What is asked for: to build, run or test a product."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from floe_core.plugins import DbtCommand, Lane

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Work(StrEnum):
    """What is done with a product; to build it is to run and to test it, and to describe it."""

    RUN = "run"
    TEST = "test"
    BUILD = "build"


SEQUENCE: Final[dict[Work, tuple[DbtCommand, ...]]] = {
    Work.RUN: (DbtCommand.DEPS, DbtCommand.SEED, DbtCommand.RUN),
    Work.TEST: (DbtCommand.DEPS, DbtCommand.TEST),
    Work.BUILD: (DbtCommand.DEPS, DbtCommand.SEED, DbtCommand.RUN, DbtCommand.TEST, DbtCommand.DOCS),
}


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Attributes:
        work: Run, test or both.
        product: The product's folder, or its `floe.yaml`.
        manifest: The platform's manifest; the one that the product names where it is None.
        lane: Where the tables lie.
        select: dbt's selection; empty for all.
        full_refresh: Build incremental models anew.
        retry: Do only what the last work of this kind left undone, and what depends on that.
        variables: dbt's `vars`.
        target: The folder that everything is kept in; the product's own `target/` where it is None.
        traced: Whether the platform's telemetry back end exports the spans; False where the caller exports them.
    """

    work: Work
    product: Path
    manifest: Path | None = None
    lane: Lane = Lane.DUCKDB
    select: tuple[str, ...] = ()
    full_refresh: bool = False
    retry: bool = False
    variables: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    target: Path | None = None
    traced: bool = True
