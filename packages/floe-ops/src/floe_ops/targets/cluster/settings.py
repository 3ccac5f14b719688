"""Which release is meant: its name, its namespace, its chart."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from floe_ops import project

if TYPE_CHECKING:
    from pathlib import Path

RELEASE, NAMESPACE = "floe", "floe-test"
CHART = "charts/floe-platform"
PROFILE = "values-test.yaml"


@dataclass(frozen=True)
class Settings:
    """One release of the chart.

    Attributes:
        release: Its name; every object of the chart is named `<release>-<component>`.
        namespace: Where it is.
        chart: The chart's folder.
    """

    release: str
    namespace: str
    chart: Path

    @property
    def profile(self) -> Path:
        """The values that the target installs with."""
        return self.chart / PROFILE

    @property
    def selector(self) -> str:
        """The labels that every object of the release carries, subchart included."""
        return f"app.kubernetes.io/instance={self.release},app.kubernetes.io/part-of=floe"


def settings() -> Settings:
    """What FLOE_RELEASE and FLOE_NAMESPACE name, else `floe` in `floe-test`."""
    return Settings(
        os.environ.get("FLOE_RELEASE") or RELEASE,
        os.environ.get("FLOE_NAMESPACE") or NAMESPACE,
        project.root() / CHART,
    )
