"""Quality: judges what a build's tests found."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from floe_core.plugins.dbt import DbtResult


class QualityError(FloeError):
    """The results cannot be judged."""

    exit_code = ExitCode.WRONG


@dataclass(frozen=True)
class QualityReport:
    """The judgement of one build.

    Attributes:
        passed: Whether every threshold is met.
        score: Share of checks that passed, 0 to 1; 0 when none ran.
        checks: How many checks ran.
        failures: One sentence a failed check.
    """

    passed: bool
    score: float
    checks: int
    failures: tuple[str, ...] = ()


class QualityPlugin(PluginMetadata[C]):
    """A judge of data."""

    plugin_type: ClassVar[PluginType] = PluginType.QUALITY

    @abstractmethod
    def evaluate(self, result: DbtResult) -> QualityReport:
        """Judge the tests of one build; a build without tests does not pass.

        Raises:
            QualityError: The result holds no tests that this plugin can read.
        """
