"""Invoke tasks of the namespace `platform`: the services on this machine, or in a cluster."""

from __future__ import annotations

import json as jsonlib
import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from floe_core.errors import ExitCode, FloeError

from floe_ops import console, words
from floe_ops.services import CLUSTER
from floe_ops.targets.seen import SIGNS
from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from invoke.context import Context

    from floe_ops.targets import Target
    from floe_ops.targets.seen import ServiceStatus

MAX_PID = 2**31 - 1


TARGET = {"target": "local or cluster (FLOE_TARGET, else local)"}
CONTEXT = {"context": "the kube context to use, named on purpose (FLOE_KUBE_CONTEXT); implies --target cluster"}


@task(help=TARGET | CONTEXT | {"dagster": "Dagster too, with all demo products: 1 GB of memory, on this machine"})
def up(_context: Context, target: str = "", context: str = "", dagster: bool = False) -> None:
    """Bring the platform up and wait until every service is ready; says what took how long, and where it is.

    invoke platform.up                       # everything on this machine, it stays until platform.down
    invoke platform.up --dagster             # and Dagster with the demo products, in the Iceberg lane
    invoke platform.up --target cluster      # the chart, on the current context, on kind, or on a bare cluster
    FLOE_POLARIS_HOME=~/polaris invoke platform.up
    FLOE_POLARIS_URL=http://polaris:8181 invoke platform.up
    """
    start = time.monotonic()
    chosen = _target(target, context)
    platform = chosen.ensure(*(["dagster"] if dagster else []))
    width = max(map(len, chosen.took), default=0)
    for name, took in chosen.took.items():
        console.say(f"  ✓ {name:<{width}} {took:5.1f} s")
    for name, url in platform.urls.items():
        console.say(f"  {name:<20} {url}")
    what = "up" if chosen.took else "up already"
    console.say(f"platform {what} after {time.monotonic() - start:.1f} s, catalog: {platform.catalog_kind}")


@task(help=TARGET)
def down(_context: Context, target: str = "") -> None:
    """End the platform, whoever uses it; its data stays.

    invoke platform.down                     # every service on this machine
    invoke platform.down --target cluster    # the forwards, and the cluster where it was made here
    """
    if _target(target).down():
        console.say("platform down, its data is kept (invoke platform.reset wipes it)")
    else:
        console.say("there was no platform to end: no cluster is in use")


@task(help={"yes": "do not ask"} | TARGET)
def reset(_context: Context, yes: bool = False, target: str = "") -> None:
    """End the platform and wipe buckets, catalogs and what else was made for it; asks first.

    invoke platform.reset --yes
    """
    chosen = _target(target)
    if not yes:
        _confirm(f"wipe {chosen.holdings()}?")
    chosen.reset()
    console.say("platform down, data wiped")


@task(help={"pid": "the process that the platform was started for"} | TARGET)
def release(_context: Context, pid: str, target: str = "") -> None:
    """End the lease of a run by hand; the platform ends with its last owner. A run that ends does so by itself.

    invoke platform.release --pid 4711
    """
    _target(target).release(words.count(pid, "--pid", most=MAX_PID))


@task(help={"json": "print JSON for programs"} | TARGET)
def status(_context: Context, json: bool = False, target: str = "") -> None:
    """Every service: state, process, age, restarts, URL. Ends with 0 when all are ready, 6 otherwise.

    invoke platform.status --json
    """
    rows = _target(target).status()
    if json:
        console.say(jsonlib.dumps([asdict(row) for row in rows]))
    else:
        _show(rows)
    if any(row.state not in {"ready", "remote", "off"} for row in rows):
        raise SystemExit(int(ExitCode.TIMEOUT))


@task(
    help={
        "service": "only this one (s3, polaris, otel, jaeger, …; local: lease, supervisord; cluster: any component)",
        "lines": "how many of the last lines of each (40)",
        "follow": "go on until Ctrl-C",
    }
    | TARGET
)
def logs(_context: Context, service: str = "", lines: str = "40", follow: bool = False, target: str = "") -> None:
    """The last log lines of the services; on this machine those of an ended platform too.

    invoke platform.logs --service polaris --lines 200
    """
    count = words.count(lines, "--lines", most=100_000)
    try:
        for line in _target(target).logs(service, count, follow=follow):
            console.say(line)
    except KeyboardInterrupt:
        console.say("")


@task(help=TARGET)
def report(_context: Context, target: str = "") -> None:
    """Keep what tells why something failed: status, logs, and of a cluster its events and objects.

    invoke platform.report --target cluster    # .floe/report/cluster
    """
    from floe_ops import project

    chosen = _target(target)
    folder = project.state() / "report" / chosen.name
    chosen.report(folder)
    console.say(f"status and logs of the platform are in {folder}")


@task(help={"json": "print JSON for programs"} | TARGET)
def doctor(_context: Context, json: bool = False, target: str = "") -> None:
    """What this machine has and lacks for the platform, and how to get it. Ends with 5 when something is missing.

    invoke platform.doctor
    """
    findings = _target(target).doctor()
    if json:
        console.say(jsonlib.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            console.say(f"{SIGNS[finding.state]} {finding.what:<16} {finding.seen}")
            if finding.remedy:
                console.say(f"{'':<19}next: {finding.remedy}")
    if any(finding.state == "missing" for finding in findings):
        raise SystemExit(int(ExitCode.MISSING))


def _target(name: str, context: str = "") -> Target:
    """The target that is meant; what was named counts for the tasks after this one too."""
    from floe_ops import targets

    if context:
        os.environ["FLOE_KUBE_CONTEXT"] = context
        name = name or CLUSTER
    if name:
        os.environ["FLOE_TARGET"] = name
    return targets.current(say=lambda line: console.say(f"  {line}"))


def _confirm(question: str) -> None:
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in {"y", "yes"}:
        raise FloeError("nothing was wiped", why="it was not confirmed", remedy="say yes, or give --yes")


def _show(rows: list[ServiceStatus]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("service", "state", "pid", "up", "restarts", "where"):
        table.add_column(column, justify="right" if column in {"pid", "up", "restarts"} else "left", no_wrap=True)
    colours = {"ready": "green", "remote": "blue", "starting": "yellow", "failed": "red", "down": "dim", "off": "dim"}
    for row in rows:
        state = f"[{colours[row.state]}]{row.state}[/]"
        up_for = f"{row.uptime_s // 60}:{row.uptime_s % 60:02d}" if row.pid else ""
        table.add_row(row.name, state, str(row.pid or ""), up_for, str(row.restarts), row.url)
    console.out().print(table)
    for row in rows:
        if row.detail:
            console.say(f"{row.name}: {row.detail}")
