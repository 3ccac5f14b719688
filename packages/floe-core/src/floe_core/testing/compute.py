"""What every compute plugin promises."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from floe_core.plugins import ComputePlugin, Lane, LaneNotSupportedError, PluginType, TargetRequest
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect, refuses


class ComputeConformance(PluginConformance):
    """Fixtures: `plugin`."""

    plugin_type: ClassVar[PluginType] = PluginType.COMPUTE

    def test_every_lane_has_a_target(self, plugin: ComputePlugin[Any]) -> None:
        """Each lane it names gives plain JSON for its adapter, the same twice; others are refused."""
        expect(plugin.lanes, "it builds in one lane at least")
        for lane in Lane:
            request = TargetRequest("some-product", lane)
            if lane not in plugin.lanes:
                with refuses(LaneNotSupportedError, f"the lane {lane} is refused"):
                    plugin.dbt_target(request)
                continue
            target = plugin.dbt_target(request)
            expect(json.loads(json.dumps(target)) == target, "a target is plain JSON")
            expect(f"dbt-{target.get('type')}" == plugin.adapter, "its type is that of the adapter")
            expect(target == plugin.dbt_target(request), "a target is the same twice")
