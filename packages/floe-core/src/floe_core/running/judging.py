"""The judgement of a product's tests: dbt's own words, and the quality plugin's where one is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from floe_core.errors import FloeError, WrongStateError

if TYPE_CHECKING:
    from floe_core.plugins import DbtResult, QualityPlugin, QualityReport


class QualityThresholdError(WrongStateError):
    """The tests ran, and what they found does not meet the platform's thresholds."""


def judged(plugin: QualityPlugin[Any], result: DbtResult) -> QualityReport:
    """The report of the quality plugin.

    Raises:
        QualityError: The plugin cannot read the result.
        FloeError: The plugin failed.
    """
    try:
        return plugin.evaluate(result)
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
    if report is not None and all(node.status == "fail" for node in result.failures):
        return None
    try:
        result.raise_for_failure()
    except FloeError as error:
        return error
    return None


def _places(result: DbtResult) -> str:
    return ", ".join(node.compiled or node.path for node in result.failures[:3])
