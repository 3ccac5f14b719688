"""Every chosen plugin makes spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.enforcement.check import Rule
from floe_core.enforcement.result import Severity
from floe_core.plugins.interface import PluginType
from floe_core.spec.source import Advice, Point

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.enforcement.check import Look
    from floe_core.enforcement.subject import Subject


class Instrumentation(Rule):
    """A plugin without a tracer is a warning at every level; telemetry back ends carry spans and make none."""

    policy_type = "plugin_instrumentation"
    code = "FLOE-E301"
    severity = Severity.WARNING

    def look(self, subject: Subject) -> Iterator[Look]:
        """Each chosen plugin."""
        for kind, plugin in subject.plugins.items():
            if kind is PluginType.TELEMETRY_BACKEND or plugin.instance.tracer_name is not None:
                yield ()
                continue
            advice = Advice(
                f"the plugin {plugin.entry.name!r} makes no spans, so traces will have a gap",
                remedy=f"ask the authors of {plugin.entry.distribution} to set tracer_name",
            )
            yield (self.found(subject.manifest.source, ("plugins", kind.value, "type"), advice, Point.VALUE),)
