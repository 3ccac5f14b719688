"""Criteria against tests: no unknown id, no due criterion without a test, no e2e test without a criterion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from floe_ops.audits.collected import Test
    from floe_ops.plan import Plan


@dataclass(frozen=True)
class Coverage:
    """Tests by criterion, for the criteria that are due on the target."""

    target: str
    tests: dict[str, tuple[str, ...]]


def audit(tests: Iterable[Test], plan: Plan, target: str) -> Coverage:
    """Hold the tests against the plan, as far as it is due on `target`.

    Raises:
        WrongStateError: An id is unknown, a due criterion has no test, or an e2e test proves nothing; all are listed.
    """
    all_tests = tuple(tests)
    proving: dict[str, list[str]] = {}
    for test in all_tests:
        for criterion in test.criteria:
            proving.setdefault(criterion, []).append(test.nodeid)
    here = {criterion for test in all_tests if test.runs_on(target) for criterion in test.criteria}
    due = [key for key, criterion in plan.criteria.items() if plan.reach(criterion, target) == "due"]
    problems = [*_problems(all_tests, proving, plan), *_uncovered(due, here, plan)]
    if problems:
        raise WrongStateError(
            "criteria and tests do not match",
            where=f"plan.toml, target {target}",
            why="\n         ".join(problems),
            remedy="mark the test that proves a criterion: @pytest.mark.requirement(id)",
        )
    return Coverage(target, {key: tuple(proving[key]) for key in due})


def _problems(tests: tuple[Test, ...], proving: dict[str, list[str]], plan: Plan) -> Iterator[str]:
    for criterion in sorted(proving.keys() - plan.criteria.keys()):
        yield f"unknown criterion {criterion}: {', '.join(proving[criterion])}"
    for test in tests:
        if test.e2e and not test.criteria:
            yield f"an e2e test that proves no criterion: {test.nodeid}"


def _uncovered(due: list[str], proved: set[str], plan: Plan) -> Iterator[str]:
    for key in due:
        if key not in proved:
            yield f"due and without a test: {key} ({plan.criteria[key].title})"
