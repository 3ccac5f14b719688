"""Quality: judges what a build's tests found."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_core.plugins.dbt import DbtResult


class QualityError(FloeError):
    """The results cannot be judged."""

    exit_code = ExitCode.WRONG


class Dimension(StrEnum):
    """What a check says about data."""

    COMPLETENESS = "completeness"
    UNIQUENESS = "uniqueness"
    VALIDITY = "validity"
    CONSISTENCY = "consistency"
    FRESHNESS = "freshness"


@dataclass(frozen=True)
class QualityFinding:
    """One check that did not pass.

    Attributes:
        check: The test's name.
        status: dbt's word: `fail`, `warn`, `error`, `skipped`.
        dimension: What it says about the data.
        model: The model that it is about; empty where it is about several.
        column: The column that it is about; empty where it is about rows.
        severity: `error` or `warn`, as declared.
        rows: How many rows are wrong; None where it did not run.
        where: The compiled SQL of the test, or else its file.
        message: dbt's own words.
    """

    check: str
    status: str
    dimension: Dimension
    model: str = ""
    column: str = ""
    severity: str = "error"
    rows: int | None = None
    where: str = ""
    message: str = ""


@dataclass(frozen=True)
class QualityReport:
    """The judgement of one build.

    Attributes:
        passed: Whether every threshold is met.
        score: Weighted share of checks that passed, 0 to 1; 0 when none ran.
        checks: How many checks ran.
        failures: A sentence for each thing that was asked and is not met, then one for each check that failed, could
            not run or was skipped; never empty where `passed` is false.
        dimensions: The score of each dimension that has checks.
        findings: Every check that did not pass, warnings too.
    """

    passed: bool
    score: float
    checks: int
    failures: tuple[str, ...] = ()
    dimensions: Mapping[Dimension, float] = field(default_factory=dict)
    findings: tuple[QualityFinding, ...] = ()


class QualityPlugin(PluginMetadata[C]):
    """A judge of data."""

    plugin_type: ClassVar[PluginType] = PluginType.QUALITY

    @abstractmethod
    def evaluate(self, result: DbtResult) -> QualityReport:
        """Judge the tests of one `test` or `build`.

        The judgement depends on the result alone: a check that turns from passing to failing never raises the score,
        a check that could not run never passes, and a build without tests does not either.

        Raises:
            QualityError: The result is that of another command, so that it says nothing about tests.
        """
