from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.plugins import HealthState, PluginType, TelemetryBackendPlugin, TelemetryError
from floe_telemetry_otlp.plugin import OTLPConfig, OTLPTelemetryPlugin
from pydantic import ValidationError

if TYPE_CHECKING:
    from pathlib import Path


def _plugin(**config: Any) -> OTLPTelemetryPlugin:
    return OTLPTelemetryPlugin(OTLPConfig(**config))


def test_it_is_declared_under_its_name_and_type() -> None:
    group = PluginType.TELEMETRY_BACKEND.entry_point_group
    found = {one.name: one for one in entry_points(group=group)}
    assert found[OTLPTelemetryPlugin.name].load() is OTLPTelemetryPlugin
    assert issubclass(OTLPTelemetryPlugin, TelemetryBackendPlugin)


def test_importing_it_does_not_import_the_sdk() -> None:
    source = (
        "import sys, floe_telemetry_otlp.plugin; print([m for m in sys.modules if m.startswith('opentelemetry.sdk')])"
    )
    assert subprocess.check_output([sys.executable, "-c", source], text=True, timeout=60) == "[]\n"


def test_an_unknown_field_is_an_error() -> None:
    with pytest.raises(ValidationError, match="endpont"):
        _plugin(endpont="http://h")


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4318", "grpc://h:4317", ""])
def test_an_endpoint_of_another_kind_is_named(endpoint: str) -> None:
    with pytest.raises(TelemetryError) as caught:
        _plugin(endpoint=endpoint).start("x")
    assert caught.value.where == "plugins.telemetry_backend.config.endpoint"
    assert caught.value.remedy


def test_health_is_what_the_collector_answers(collector: Any, dead: str) -> None:
    assert _plugin(endpoint=collector.url).health_check(1).state is HealthState.HEALTHY
    collector.answer = lambda _: 503
    sick = _plugin(endpoint=collector.url).health_check(1)
    assert (sick.state, "503" in sick.message) == (HealthState.UNHEALTHY, True)
    assert _plugin(endpoint=dead).health_check(1).state is HealthState.UNHEALTHY
    assert _plugin().health_check(1).state is HealthState.DEGRADED


START = """
import sys
from pathlib import Path
from floe_telemetry_otlp.plugin import OTLPConfig, OTLPTelemetryPlugin
from floe_core.telemetry import span
plugin = OTLPTelemetryPlugin(OTLPConfig(endpoint=sys.argv[1], spool=Path(sys.argv[2])))
session = plugin.start("customer-360", {"floe.mode": "test"})
with span("work"):
    pass
print(session.flush(5.0))
session.shutdown()
session.shutdown()
"""


@pytest.mark.parametrize("alive", [True, False])
def test_a_session_says_whether_all_was_sent(tmp_path: Path, collector: Any, dead: str, *, alive: bool) -> None:
    url = collector.url if alive else dead
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", START, url, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        env=dict(os.environ),
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"{alive}\n"), done.stderr
    assert collector.services == ({"customer-360"} if alive else set())
    assert len(list(tmp_path.glob("*.pb"))) == (0 if alive else 1)
