from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from floe_core.plugins import HealthState, TelemetryError
from floe_core.testing import TelemetryBackendConformance
from floe_telemetry_otlp.plugin import OTLPConfig, OTLPTelemetryPlugin

if TYPE_CHECKING:
    from pathlib import Path


def _plugin(**config: Any) -> OTLPTelemetryPlugin:
    return OTLPTelemetryPlugin(OTLPConfig(**config))


class TestConformance(TelemetryBackendConformance):
    @pytest.fixture
    def plugin(self, tmp_path: Path) -> OTLPTelemetryPlugin:
        return _plugin(spool=tmp_path)


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
from floe_core.testing import TelemetryBackendConformance
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
