"""What a platform approves: the plugins that may be chosen, and the sinks that rows may go to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.enforcement.check import Rule
from floe_core.spec.problems import nearest
from floe_core.spec.source import Advice, Point

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.enforcement.check import Look
    from floe_core.enforcement.subject import Subject


class ApprovedPlugins(Rule):
    """A chosen plugin is among those that are approved for its type."""

    policy_type = "approved_plugins"
    code = "FLOE-E310"

    def not_run(self, subject: Subject) -> str:
        """When nothing is listed for any type that is chosen."""
        approved = set(subject.manifest.model.approved_plugins)
        if not approved:
            return "approved_plugins is empty"
        chosen = {kind.value for kind in subject.plugins}
        return "" if chosen & approved else "no type of approved_plugins is chosen"

    def look(self, subject: Subject) -> Iterator[Look]:
        """Each chosen plugin whose type is listed."""
        by_type = {str(kind): names for kind, names in subject.manifest.model.approved_plugins.items()}
        for kind, plugin in subject.plugins.items():
            names = by_type.get(kind.value)
            if names is None:
                continue
            name = plugin.entry.name
            advice = Advice(
                f"{name} is not approved for {kind.value}",
                nearest(name, names),
                f"choose one of: {', '.join(names)}" if names else "leave the type out: nothing is approved for it",
            )
            loc = ("plugins", kind.value, "type")
            yield () if name in names else (self.found(subject.manifest.source, loc, advice, Point.VALUE),)


class ApprovedSinks(Rule):
    """The sink of a destination is among those that are approved."""

    policy_type = "approved_sinks"
    code = "FLOE-E311"

    def not_run(self, subject: Subject) -> str:
        """When any sink may be used, or the product has no destination."""
        if subject.manifest.model.approved_sinks is None:
            return "approved_sinks is not stated"
        return "" if subject.product.model.destinations else "the product has no destinations"

    def look(self, subject: Subject) -> Iterator[Look]:
        """Each destination."""
        names = subject.manifest.model.approved_sinks or ()
        for index, destination in enumerate(subject.product.model.destinations):
            advice = Advice(
                f"the sink {destination.sink_type} is not approved",
                nearest(destination.sink_type, names),
                f"use one of: {', '.join(names)}" if names else "remove the destination: no sink is approved",
            )
            loc = ("destinations", index, "sinkType")
            allowed = destination.sink_type in names
            yield () if allowed else (self.found(subject.product.source, loc, advice, Point.VALUE),)
