"""The four commands: each reads its environment, calls one capability and tells what came of it."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from floe_core.errors import UsageError

from floe_ops import shown, words
from floe_ops.job.log import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from floe_ops.warehouse import Warehouse

Result = dict[str, object]


def bootstrap(options: argparse.Namespace) -> Result:
    """Make the warehouse what it should be; see `floe_ops.bootstrap`."""
    limit = words.seconds(options.timeout, "--timeout")
    wanted = _warehouse()
    from floe_ops import bootstrap as program

    say(f"bootstrap of catalog {wanted.catalog} at {wanted.url} on {wanted.location} ({wanted.s3_endpoint})")
    report = program.bootstrap(
        wanted,
        timeout_s=limit,
        create_bucket=not options.expect_bucket,
        tell=lambda step: say(shown.step(step)),
        waiting=_waiting,
    )
    say(shown.bootstrapped(report))
    return shown.bootstrapped_json(report)


def wait(options: argparse.Namespace) -> Result:
    """Wait until the catalog is served with the right values; see `floe_ops.readiness`."""
    start = time.monotonic()  # loading the client counts too: the deadline is the caller's
    limit = words.seconds(options.timeout, "--timeout")
    streak = words.count(options.streak, "--streak")
    wanted = _warehouse()
    from floe_ops import readiness

    found = readiness.wait(lambda: wanted, readiness.Terms(limit, streak=streak, start=start), _waiting)
    say("\n".join(shown.ready(found)))
    return shown.ready_json(found)


def roundtrip(options: argparse.Namespace) -> Result:
    """Send a trace to the collector and find it in Jaeger; see `floe_ops.roundtrip`."""
    limit = words.seconds(options.timeout, "--timeout")
    collector, jaeger = _url("OTEL_EXPORTER_OTLP_ENDPOINT"), _url("FLOE_JAEGER_URL")
    from floe_ops import roundtrip as program

    result = program.verify(collector, jaeger, deadline_s=limit)
    say(f"✓ {shown.roundtrip(result)}")
    return asdict(result)


def dagster(options: argparse.Namespace) -> Result:
    """Wait until Dagster's workspace is loaded without an error; see `floe_ops.clients.dagster`."""
    limit = words.seconds(options.timeout, "--timeout")
    from floe_ops.clients.dagster import Dagster

    client = Dagster(_url("FLOE_DAGSTER_URL"))
    loaded = client.wait_until_loaded(limit, expected=tuple(options.location), tell=_waiting)
    for location in loaded.locations:
        say(f"  loaded    {location.name}: {', '.join(location.repositories)}")
    say(f"✓ Dagster {loaded.version} at {client.url} has loaded {len(loaded.locations)} code locations")
    return asdict(loaded)


COMMANDS: Mapping[str, Callable[[argparse.Namespace], Result]] = {
    "bootstrap": bootstrap,
    "wait": wait,
    "roundtrip": roundtrip,
    "dagster": dagster,
}


def _warehouse() -> Warehouse:
    from floe_ops import warehouse

    _url("FLOE_POLARIS_URL")
    found = warehouse.find(lambda: None)
    if found is None:
        raise AssertionError("unreachable")
    if not found.signs_in:
        raise warehouse.no_credentials()
    return found


def _url(name: str) -> str:
    """The URL that the environment names.

    Raises:
        UsageError: It names none, or something else.
    """
    from floe_catalog_polaris.urls import server_url

    value = os.environ.get(name, "")
    if not value:
        raise UsageError(
            f"{name} is not set",
            where="the pod's environment",
            why="this command asks that service",
            remedy=f"set {name} to its base URL, for example http://floe-polaris:8181",
        )
    return server_url(value, name=name)


def _waiting(line: str) -> None:
    say(f"… {line}")
