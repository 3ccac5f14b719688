"""The plugin against the published suite of its type, and what is its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from floe_alert_file.plugin import FileConfig, FilePlugin
from floe_core.plugins import Alert, AlertDeliveryError, HealthState, Severity
from floe_core.testing import AlertChannelConformance


class TestConformance(AlertChannelConformance):
    @pytest.fixture
    def plugin(self, tmp_path: Path) -> FilePlugin:
        return FilePlugin(FileConfig(path=tmp_path / "alerts.jsonl"))

    @pytest.fixture
    def received(self, plugin: FilePlugin) -> Callable[[], list[str]]:
        path = plugin.config.path
        return lambda: path.read_text().splitlines() if path.exists() else []

    @pytest.fixture
    def failing(self, tmp_path: Path) -> FilePlugin:
        return FilePlugin(FileConfig(path=tmp_path / "no" / "alerts.jsonl"))

    @pytest.fixture
    def secret(self) -> str:
        return ""


ALERT = Alert("stg_orders is late", Severity.WARNING, "orders", datetime(2026, 1, 2, tzinfo=UTC), {"expected": "5:30"})


def test_an_alert_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    plugin = FilePlugin(FileConfig(path=path))
    plugin.send(ALERT)
    plugin.send(ALERT)
    first, second = path.read_text().splitlines()
    assert first == second
    assert json.loads(first)["details"] == {"expected": "5:30"}


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    plugin = FilePlugin(FileConfig(path=tmp_path / "no" / "alerts.jsonl"))
    assert plugin.health_check(1.0).state is HealthState.UNHEALTHY
    with pytest.raises(AlertDeliveryError, match="late") as caught:
        plugin.send(ALERT)
    assert caught.value.where.endswith("alerts.jsonl")
