"""Compute: the engine that a product's models run on, as dbt sees it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType


class ComputeError(FloeError):
    """The engine cannot do what was asked."""

    exit_code = ExitCode.WRONG


class LaneNotSupportedError(ComputeError):
    """The engine cannot build in that lane."""


class Lane(StrEnum):
    """Where a build leaves its tables: in the engine's own files, or in the Iceberg catalog."""

    DUCKDB = "duckdb"
    ICEBERG = "iceberg"


@dataclass(frozen=True)
class TargetRequest:
    """What a dbt target is made for.

    Attributes:
        product: The product's name, for example `customer-360`.
        lane: Where the build leaves its tables.
    """

    product: str
    lane: Lane


class ComputePlugin(PluginMetadata[C]):
    """An engine that dbt has an adapter for."""

    plugin_type: ClassVar[PluginType] = PluginType.COMPUTE
    adapter: ClassVar[str]
    """The distribution of dbt's adapter, for example `dbt-duckdb`."""
    lanes: ClassVar[frozenset[Lane]]

    @abstractmethod
    def dbt_target(self, request: TargetRequest) -> dict[str, Any]:
        """One entry of `outputs` in a dbt profile, as plain JSON values.

        A secret appears as dbt's `{{ env_var('NAME') }}` only, and no value depends on this machine.

        Raises:
            LaneNotSupportedError: The lane is not in `lanes`.
        """
