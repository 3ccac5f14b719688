"""The judgement of a product's tests: dbt's own words, and the quality plugin's where one is chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from floe_core.errors import FloeError, WrongStateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_core.plugins import DbtNode, DbtResult, QualityPlugin, QualityReport


class QualityThresholdError(WrongStateError):
    """The tests ran, and what they found does not meet the platform's thresholds."""


def judged(plugin: QualityPlugin[Any], result: DbtResult, tiers: Mapping[str, str]) -> QualityReport:
    """The report of the quality plugin.

    Args:
        plugin: The judge.
        result: What the tests came to.
        tiers: The tier of each model whose product states one; it goes before a tier in dbt's own files.

    Raises:
        QualityError: The plugin cannot read the result.
        FloeError: The plugin failed.
    """
    try:
        return plugin.evaluate(replace(result, nodes=tuple(_with_tier(node, tiers) for node in result.nodes)))
    except FloeError:
        raise
    except Exception as error:  # a plugin is foreign code and can raise anything
        why = f"it raised {type(error).__name__}"
        raise FloeError(
            f"the quality plugin {plugin.name} failed", why=why, remedy="report it to its authors"
        ) from error


def failure(result: DbtResult, report: QualityReport | None) -> FloeError | None:
    """Why the tests fail the product; None when they do not.

    Without a report every failed test does. With one, the plugin's thresholds decide about tests that failed; a test
    that could not run at all says nothing about the data and always fails the product.
    """
    if report is not None and not report.passed:
        return QualityThresholdError(
            "the product's quality is below the platform's threshold",
            where=_places(result),
            why="; ".join(report.failures[:5]) or f"the score is {report.score:.3f} over {report.checks} checks",
            remedy="correct the data or the models; the compiled SQL of a test shows the rows",
        )
    if report is not None and result.failures and all(node.status == "fail" for node in result.failures):
        return None
    try:
        result.raise_for_failure()
    except FloeError as error:
        return error
    return None


def _with_tier(node: DbtNode, tiers: Mapping[str, str]) -> DbtNode:
    """The node, its test with the tier of the model that it is about."""
    if node.test is None or node.test.model not in tiers:
        return node
    return replace(node, test=replace(node.test, tier=tiers[node.test.model]))


def _places(result: DbtResult) -> str:
    return ", ".join(node.compiled or node.path for node in result.failures[:3])
