"""From the nodes of a result to a report: what each test earns, what each group of tests scores, what is not met."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING, Final, TypeAlias

from floe_core.plugins import Dimension, QualityFinding, QualityReport
from floe_core.plugins.dbt import DbtTest

from floe_quality_dbt.dimensions import dimension

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from floe_core.plugins import DbtNode, DbtResult

    from floe_quality_dbt.config import DbtQualityConfig

TESTS = frozenset({"test", "unit_test"})
PASSED, WARNED, SKIPPED = frozenset({"pass", "success"}), "warn", "skipped"
COULD_NOT_RUN = frozenset({"error", "runtime error"})
BAD_NODES = frozenset({"error", "fail", "runtime error", "partial success"})
Group: TypeAlias = tuple[str, str]
ALL: Final[Group] = ("all", "tests")
ROUNDING = 1e-9
"""Sums of weights round: a score this little below a threshold meets it."""


@dataclass(frozen=True)
class Check:
    """A test that was asked for.

    Attributes:
        node: What dbt says of it.
        asks: What it asks.
        dimension: What it says about the data.
        weight: How much it counts.
        credit: What it earned, 0 to 1; the weight does not depend on it, so a worse outcome never helps.
    """

    node: DbtNode
    asks: DbtTest
    dimension: Dimension
    weight: float
    credit: float

    @property
    def passed(self) -> bool:
        """Whether it passed in full."""
        return self.node.status in PASSED


def judge(result: DbtResult, config: DbtQualityConfig) -> QualityReport:
    """The report of a `test` or `build` by these thresholds."""
    checks = [_check(node, config) for node in result.nodes if node.resource_type in TESTS]
    ran = sum(check.node.status != SKIPPED for check in checks)
    unmet = [*_broken(result, ran), *_unmet(checks, config), *_missing(checks, config)]
    findings = tuple(_finding(check) for check in checks if not check.passed)
    dimensions = {one: score for one in Dimension if (score := _score(_of(checks, one))) is not None}
    return QualityReport(
        passed=not unmet,
        score=_score(checks) or 0.0,
        checks=ran,
        failures=(*unmet, *(_sentence(one) for one in findings if one.status != WARNED)),
        dimensions=dimensions,
        findings=findings,
    )


def _check(node: DbtNode, config: DbtQualityConfig) -> Check:
    # An engine that does not say what a test asks leaves its kind to be read from the type of the node.
    asks = node.test or DbtTest("unit" if node.resource_type == "unit_test" else "singular")
    kind = dimension(node.name, asks.kind, config.dimensions)
    severity = config.severity_weights.get("warn" if asks.severity == "warn" else "error", 1.0)
    credit = config.warn_credit if node.status == WARNED else float(node.status in PASSED)
    return Check(node, asks, kind, severity * config.dimension_weights.get(kind, 1.0), credit)


def _of(checks: Iterable[Check], wanted: Dimension) -> list[Check]:
    return [check for check in checks if check.dimension is wanted]


def _score(checks: Sequence[Check]) -> float | None:
    """The weighted share of credit; None without tests."""
    whole = fsum(check.weight for check in checks)
    return fsum(check.weight * check.credit for check in checks) / whole if checks else None


def _broken(result: DbtResult, ran: int) -> Iterator[str]:
    """What no threshold forgives: nothing ran, or something could not run."""
    if not ran:
        yield "no test ran, so nothing is known about the data"
    broken = [node for node in result.nodes if node.resource_type in TESTS and node.status in COULD_NOT_RUN]
    if broken:
        yield f"{_count(broken, 'test')} could not run: {_names(broken)}"
    models = [node for node in result.nodes if node.resource_type not in TESTS and node.status in BAD_NODES]
    if models:
        yield f"{_count(models, 'node')} could not be built: {_names(models)}"


def _unmet(checks: Sequence[Check], config: DbtQualityConfig) -> Iterator[str]:
    """A sentence for each threshold that is not met; a group without tests has none."""
    for group, least in _thresholds(config):
        members = [check for check in checks if group in _groups(check)]
        score = _score(members)
        if score is not None and score < least - ROUNDING:
            passed = sum(check.passed for check in members)
            of = "" if group == ALL else f" of {' '.join(group)}"
            yield f"the score{of} is {score:.3f}, {least:g} is asked ({passed} of {len(members)} tests passed)"


def _thresholds(config: DbtQualityConfig) -> Iterator[tuple[Group, float]]:
    """The groups of tests that are held to a least score."""
    yield ALL, config.min_score
    yield from ((("tier", name), least) for name, least in config.min_score_by_tier.items())
    yield from ((("tag", name), least) for name, least in config.min_score_by_tag.items())
    yield from ((("severity", name), least) for name, least in config.min_score_by_severity.items())
    yield from ((("dimension", name.value), least) for name, least in config.min_score_by_dimension.items())


def _groups(check: Check) -> set[Group]:
    """The groups that a test belongs to."""
    asks = check.asks
    tags = {("tag", tag) for tag in asks.tags} | {("tier", tag) for tag in asks.tags}
    return tags | {ALL, ("tier", asks.tier), ("severity", asks.severity), ("dimension", check.dimension.value)}


def _missing(checks: Sequence[Check], config: DbtQualityConfig) -> Iterator[str]:
    """A sentence for each required test that did not run and pass."""
    for model, kinds in config.required_tests.items():
        for kind in kinds:
            found = [check for check in checks if check.asks.model == model and _is(check, kind)]
            if not found:
                yield f"{model}: the required test {kind} did not run"
            elif not all(check.passed for check in found):
                yield f"{model}: the required test {kind} did not pass"


def _is(check: Check, kind: str) -> bool:
    return kind in {check.asks.kind, check.asks.kind.rpartition(".")[2], check.node.name}


def _finding(check: Check) -> QualityFinding:
    node, asks = check.node, check.asks
    return QualityFinding(
        check=node.name,
        status=node.status,
        dimension=check.dimension,
        model=asks.model,
        column=asks.column,
        severity=asks.severity,
        rows=node.rows,
        where=node.compiled or node.path,
        message=node.message,
    )


def _sentence(found: QualityFinding) -> str:
    about = f" on {found.model}" if found.model else ""
    place = f", see {found.where}" if found.where else ""
    if found.status == SKIPPED:
        return f"test {found.check}{about} was skipped"
    if found.status in COULD_NOT_RUN:
        return f"test {found.check}{about} could not run{place}"
    rows = "" if found.rows is None else f": {found.rows} wrong row{'s' if found.rows != 1 else ''}"
    return f"test {found.check}{about} failed{rows}{place}"


def _count(nodes: Sequence[DbtNode], what: str) -> str:
    return f"{len(nodes)} {what}{'s' if len(nodes) != 1 else ''}"


def _names(nodes: Sequence[DbtNode], shown: int = 3) -> str:
    names = ", ".join(node.name for node in nodes[:shown])
    return names if len(nodes) <= shown else f"{names} and {len(nodes) - shown} more"
