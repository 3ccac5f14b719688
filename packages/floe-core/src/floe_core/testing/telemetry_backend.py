"""What every telemetry back end promises."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.plugins import PluginType, TelemetryBackendPlugin
from floe_core.testing.base import CANARY, PluginConformance
from floe_core.testing.expect import expect

if TYPE_CHECKING:
    from pathlib import Path

BOUND_S = 30.0  # tells a limit from a hang
# The SDK is one a process, so what is said about a process is shown in one of its own.
_ALONE = """
import json, sys
from floe_core.plugins import PluginType
from floe_core.registry import Registry
from floe_core.telemetry import span
said = json.loads(sys.argv[1])
plugin = Registry().create(PluginType.TELEMETRY_BACKEND, said["name"], said["config"]).instance
session = plugin.start("conformance", {"floe.suite": "conformance"})
with span("work", canary=said["canary"]) as current:
    recorded = current.is_recording()
print(json.dumps({"recorded": recorded}))
if said["ends"]:
    session.shutdown()
    session.shutdown()
"""


class TelemetryBackendConformance(PluginConformance):
    """Fixtures: `plugin`; pytest's `tmp_path`."""

    plugin_type: ClassVar[PluginType] = PluginType.TELEMETRY_BACKEND

    def test_a_session_ends(self, plugin: TelemetryBackendPlugin[Any]) -> None:
        """A session says whether it flushed, and ends twice without harm."""
        session = plugin.start("conformance", {"floe.suite": "conformance"})
        expect(isinstance(session.flush(1.0), bool), "flush says whether everything went out")
        session.shutdown()
        session.shutdown()

    def test_a_flush_keeps_its_limit(self, plugin: TelemetryBackendPlugin[Any]) -> None:
        """Flushing and ending are over in time, also where nobody takes the spans."""
        session = plugin.start("conformance")
        begin = time.monotonic()
        session.flush(0.5)
        session.shutdown()
        took = time.monotonic() - begin
        expect(took < BOUND_S, f"flush(0.5) and shutdown end in time (they took {took:.1f} s)")

    def test_a_flush_after_the_end_does_no_harm(self, plugin: TelemetryBackendPlugin[Any]) -> None:
        """A session that has ended answers."""
        session = plugin.start("conformance")
        session.shutdown()
        expect(isinstance(session.flush(0.5), bool), "flush after shutdown still answers")

    def test_spans_are_recorded(self, plugin: TelemetryBackendPlugin[Any], tmp_path: Path) -> None:
        """After `start`, the spans of the process are real ones."""
        expect(self._alone(plugin, tmp_path, ends=True)["recorded"], "a span after start is recorded")

    def test_a_process_ends_without_a_word(self, plugin: TelemetryBackendPlugin[Any], tmp_path: Path) -> None:
        """A process that forgets `shutdown` ends by itself, in time and with a clean exit."""
        begin = time.monotonic()
        self._alone(plugin, tmp_path, ends=False)
        took = time.monotonic() - begin
        expect(took < BOUND_S, f"a process ends without shutdown (it took {took:.1f} s)")

    def test_attributes_are_printed_nowhere(self, plugin: TelemetryBackendPlugin[Any], tmp_path: Path) -> None:
        """What spans carry goes where spans go, not to the process's output."""
        expect(CANARY not in str(self._alone(plugin, tmp_path, ends=True)), "an attribute is not printed")

    def _alone(self, plugin: TelemetryBackendPlugin[Any], folder: Path, *, ends: bool) -> dict[str, Any]:
        """What a process of its own says; a new one, in `folder`."""
        config = plugin.config.model_dump(mode="json", by_alias=True, exclude_none=True)
        said = json.dumps({"name": plugin.name, "config": config, "canary": CANARY, "ends": ends})
        probe = [sys.executable, "-c", _ALONE, said]
        done = subprocess.run(probe, capture_output=True, text=True, timeout=60, check=False, cwd=folder)  # noqa: S603 - our interpreter
        expect(done.returncode == 0, f"the process ends well: {done.stderr.strip()[-300:]}")
        first, _, rest = done.stdout.partition("\n")
        told: dict[str, Any] = json.loads(first)
        return {**told, "printed": rest + done.stderr}
