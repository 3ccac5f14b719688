"""Services that are started only when they are asked for: Dagster, beside a platform that runs.

It joins the supervisord of the platform as a group of its own, and so ends with everything else. A second call finds
it as it is; one that finds other sources or settings starts the group anew.
"""

from __future__ import annotations

import dataclasses
import json
import time
from typing import TYPE_CHECKING

from floe_core.errors import NotReadyError

from floe_ops import project
from floe_ops.services import services
from floe_ops.targets.local import dagster, ports, programs, record, waiting
from floe_ops.targets.local.layout import write_private
from floe_ops.targets.local.starting import PORT_TRIES, remembered, write
from floe_ops.targets.local.supervisor import Supervisor
from floe_ops.targets.local.sweeper import sweep

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from floe_ops.targets.interface import Platform
    from floe_ops.targets.local.layout import Layout
    from floe_ops.targets.local.programs import Program

READY_S = 120.0  # five Python programs that import Dagster, on a busy machine; quiet, all is there in 15
LANE = "iceberg"
LOST = ("STARTING", "STARTED", "CANCELING")


class Demand:
    """Dagster beside the platform, under the layout's lock.

    Attributes:
        took: Seconds until each part was ready, by name; empty when it ran already.
    """

    def __init__(self, layout: Layout, say: Callable[[str], None]) -> None:
        self.layout = layout
        self.took: dict[str, float] = {}
        self._say = say
        self._supervisor = Supervisor(layout)

    def ensure(self, platform: Platform, *, shared: bool) -> Platform:
        """The platform with Dagster.

        Args:
            platform: The one that runs.
            shared: Others use it, so Dagster is not started anew for the sake of newer sources.

        Raises:
            MissingToolError: There is no product to serve.
            NotReadyError: A part did not become ready.
        """
        found = record.load(self.layout.record)
        if found is None:
            raise NotReadyError("there is no platform for Dagster to stand beside", where=str(self.layout.record))
        if found.demanded:
            wanted = self._deployment(platform, found.ports).programs()
            same = found.demanded_print == self._fingerprint(wanted)
            if same or shared:
                if not same:
                    self._say("Dagster runs with older sources or settings, and others use the platform: left as it is")
                return self._joined(platform, found)
            self._say("Dagster's products or settings have changed; starting it anew")
        return self._fresh(platform, found)

    def _joined(self, platform: Platform, found: record.Record) -> Platform:
        """What runs, healed where it does not; `starting` has started again what had given up."""
        whole = _with(platform, found.ports)
        if waiting.ready(whole, found.demanded, self.layout):
            waiting.until_ready(whole, found.demanded, self._supervisor, READY_S)
        return whole

    def _fresh(self, platform: Platform, found: record.Record) -> Platform:
        for turn in range(PORT_TRIES):
            self._supervisor.drop()
            sweep(self.layout.mark)
            try:
                return self._start(platform, found)
            except waiting.PortTakenError:
                if turn == PORT_TRIES - 1:
                    raise
                self._say("somebody took a port in the meantime; trying others")
        raise AssertionError("unreachable")

    def _start(self, platform: Platform, found: record.Record) -> Platform:
        known = remembered(self.layout.ports)
        names = [f"{dagster.SERVICE}-{name}" for name in dagster.discover(_products())]
        given = found.ports | ports.assign(services()[dagster.SERVICE].ports | dict.fromkeys(names), known)
        deployment = self._deployment(platform, given)
        deployment.make_storage()
        rendered = deployment.programs()
        for program in rendered:
            write(self.layout, program)
        parts = [program.name for program in rendered]
        for name in parts:
            (self.layout.starts / name).unlink(missing_ok=True)  # what is started anew on purpose is no restart
        printed = self._fingerprint(rendered)
        dataclasses.replace(found, ports=given, demanded=parts, demanded_print=printed).save(self.layout.record)
        since = time.time()
        self._supervisor.add(parts)
        whole = _with(platform, given)
        self.took = waiting.until_ready(whole, parts, self._supervisor, READY_S)
        write_private(self.layout.ports, json.dumps(known | given))
        self._settle(whole, since)
        return whole

    def _settle(self, platform: Platform, since: float) -> None:
        """Runs that an ended Dagster left under way can never end by themselves, and would fill the queue's places."""
        from floe_ops.clients.dagster import Dagster

        client = Dagster(platform.urls["dagster"])
        lost = [run.id for run in client.runs.last(100, statuses=LOST, updated_before=since)]
        if lost:
            client.runs.give_up(lost)
            self._say(f"{len(lost)} runs that an earlier Dagster left under way were marked as cancelled")
        for location in client.locations():
            if location.error:
                self._say(f"the product {location.name} cannot be loaded: {location.cause[:400]}")

    def _deployment(self, platform: Platform, given: dict[str, int]) -> dagster.Deployment:
        locations = [
            dagster.Location(name, file, given[f"{dagster.SERVICE}-{name}"])
            for name, file in dagster.discover(_products()).items()
            if f"{dagster.SERVICE}-{name}" in given  # a product that came later has none yet
        ]
        own = programs.environment(self.layout, **platform.environment())
        own |= {"FLOE_LANE": LANE, "FLOE_HEALTH_URL": f"{platform.urls['polaris-management']}/q/health/ready"}
        home, port = self.layout.dagster_home, given[dagster.SERVICE]
        return dagster.Deployment(home, port, tuple(locations), own, self.layout.mark)

    def _fingerprint(self, rendered: list[Program]) -> str:
        root = project.root()
        sources = [root / "demo", *root.glob("plugins/*/src"), *root.glob("packages/*/src")]
        return dagster.fingerprint(rendered, sources)


def _products() -> Path:
    return project.root() / "demo"


def _with(platform: Platform, given: dict[str, int]) -> Platform:
    urls = {name: f"http://{ports.HOST}:{given[name]}" for name in services()[dagster.SERVICE].ports}
    return dataclasses.replace(platform, urls=platform.urls | urls)
