"""The suite of telemetry back ends finds each breach of the contract, and nothing in one that keeps it.

Part of it is shown in a process of its own, which finds the plugin as an installed one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from importlib import import_module
from pathlib import Path

import pytest
from floe_core.plugins import NoConfig
from floe_core.testing import TelemetryBackendConformance, telemetry_backend

Failing = Callable[..., set[str]]
Breach = tuple[str, str, set[str]]
MODULE = "made_up_telemetry"
SOUND = """
import sys, time
from floe_core.plugins import NoConfig, TelemetryBackendPlugin

class Session:
    over = False
    def flush(self, timeout_s):
        return True
    def shutdown(self):
        self.over = True

class Plugin(TelemetryBackendPlugin[NoConfig]):
    name, version, floe_api_version = "made-up", "1.0.0", "1.0"

    def start(self, service_name, attributes=None):
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        if sys.argv[0] == "-c":
            trace.set_tracer_provider(TracerProvider())
        return Session()
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[[str], object], None, None]:
    def install(source: str) -> object:
        (tmp_path / f"{MODULE}.py").write_text(source, encoding="utf-8")
        info = tmp_path / "made_up-1.0.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up\nVersion: 1.0.0\n")
        (info / "entry_points.txt").write_text(f"[floe.telemetry_backends]\nmade-up = {MODULE}:Plugin\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        plugin: object = import_module(MODULE).Plugin(NoConfig())
        return plugin

    yield install
    sys.modules.pop(MODULE, None)


@pytest.mark.parametrize(
    "breach",
    [
        ("", "", set()),
        ("return True", "return None", {"a_session_ends", "a_flush_after_the_end_does_no_harm"}),
        ("self.over = True", "assert not self.over; self.over = True", {"a_session_ends"}),
        ("return True", "assert not self.over; return True", {"a_flush_after_the_end_does_no_harm"}),
        ("return True", "time.sleep(timeout_s); return True", {"a_flush_keeps_its_limit"}),
        ('"-c"', '"-x"', {"spans_are_recorded"}),
        (
            "return Session",
            "sys.stderr.write('planted-canary-value'); return Session",
            {"attributes_are_printed_nowhere"},
        ),
        ("return Session", "sys.exit(3); return Session", {"a_process_ends_without_a_word"}),
    ],
)
def test_each_breach_is_found(
    failing: Failing, installed: Callable[[str], object], monkeypatch: pytest.MonkeyPatch, breach: Breach
) -> None:
    old, new, found = breach
    plugin = installed(SOUND.replace(old, new) if old else SOUND)
    if "sleep" in new:
        monkeypatch.setattr(telemetry_backend, "BOUND_S", 0.3)
    names = found or {name.removeprefix("test_") for name in vars(TelemetryBackendConformance) if name[:5] == "test_"}
    assert failing(TelemetryBackendConformance, plugin, *names) == found
