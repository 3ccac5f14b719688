"""A typed client of Dagster's webserver: workspace, runs, assets, schedules and sensors, by GraphQL.

Every document that it may send is in `queries` and can be held against the schema that a webserver serves
(`Dagster.check_queries`), so that a field that is gone or deprecated is found before it is used.
"""

from __future__ import annotations

from floe_ops.clients.dagster.answers import (
    AssetNode,
    CheckResult,
    CodeLocation,
    DryTick,
    Loaded,
    Materialization,
    Repository,
    Run,
    Schedule,
    Sensor,
    ServerInfo,
    Tick,
)
from floe_ops.clients.dagster.client import Dagster

__all__ = [
    "AssetNode",
    "CheckResult",
    "CodeLocation",
    "Dagster",
    "DryTick",
    "Loaded",
    "Materialization",
    "Repository",
    "Run",
    "Schedule",
    "Sensor",
    "ServerInfo",
    "Tick",
]
