"""A build's result, to be varied by tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.plugins import Lane
from floe_ops.products.result import BuildResult, ModelTiming, Step, TableFacts, Truth

if TYPE_CHECKING:
    from collections.abc import Callable

FACTS = TableFacts(name="mart", rows=2, columns={"amount": "DECIMAL(9,2)"}, sums={"amount": "3.50"}, fingerprint="17")


def _result(lane: Lane, table: TableFacts = FACTS, source: str = "sha256:1", found: str = "2") -> BuildResult:
    return BuildResult(
        product="tiny",
        lane=lane,
        source=source,
        engine="1.11.16",
        rebuilt=False,
        enforcement="passed",
        steps=(Step(name="run", seconds=0.1),),
        models=(ModelTiming(name="mart", seconds=0.1),),
        tests_passed=1,
        truths=(Truth(id="rows", says="rows", found=found),),
        tables=(table,),
        released="",
        scale=1,
        wall_s=0.2,
    )


@pytest.fixture
def table() -> TableFacts:
    return FACTS


@pytest.fixture
def make_result() -> Callable[..., BuildResult]:
    return _result
