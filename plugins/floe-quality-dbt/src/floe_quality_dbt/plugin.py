"""The quality plugin `dbt`: dbt's own tests, held to the platform's thresholds."""

from __future__ import annotations

from typing import ClassVar

from floe_core.plugins import DbtCommand, DbtResult, PluginConfig, QualityError, QualityPlugin, QualityReport
from floe_core.telemetry import span

from floe_quality_dbt.config import DbtQualityConfig

JUDGED = (DbtCommand.TEST, DbtCommand.BUILD)


class DbtQualityPlugin(QualityPlugin[DbtQualityConfig]):
    """Scores a product by its dbt tests: weighted, by dimension, tier, tag and severity."""

    name: ClassVar[str] = "dbt"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.quality.dbt"
    description: ClassVar[str] = "dbt tests held to thresholds"
    config_model: ClassVar[type[PluginConfig]] = DbtQualityConfig

    def evaluate(self, result: DbtResult) -> QualityReport:
        """Judge the tests of one `test` or `build`.

        Tests that failed, could not run or were skipped earn nothing, those that warn earn `warn_credit`. The build
        passes if every threshold is met, every required test passed, a test ran, and nothing failed to run.

        Raises:
            QualityError: The result is that of another command.
        """
        from floe_quality_dbt.judging import judge

        if result.command not in JUDGED:
            raise QualityError(
                f"the result of dbt {result.command.value} cannot be judged",
                why="it ran no tests",
                remedy=f"judge the result of dbt {' or '.join(command.value for command in JUDGED)}",
            )
        with span("quality evaluate", **{"quality.command": result.command.value}) as current:
            report = judge(result, self.config)
            current.set_attributes(
                {"quality.passed": report.passed, "quality.score": report.score, "quality.checks": report.checks}
            )
            return report
