"""Invoke tasks of the namespace `platform`: the services on this machine."""

from __future__ import annotations

import json as jsonlib
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from floe_core.errors import ExitCode, FloeError, UsageError

from floe_ops import console, words
from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from invoke.context import Context

    from floe_ops.targets.local import LocalTarget
    from floe_ops.targets.local.status import ServiceStatus

MAX_PID = 2**31 - 1


@task()
def up(_context: Context) -> None:
    """Bring the platform up and wait until every service is ready; says what took how long, and where it is.

    invoke platform.up                       # everything on this machine, it stays until platform.down
    FLOE_POLARIS_HOME=~/polaris invoke platform.up
    FLOE_POLARIS_URL=http://polaris:8181 invoke platform.up
    """
    start = time.monotonic()
    target = _target()
    platform = target.ensure()
    for name, took in target.took.items():
        console.say(f"  ✓ {name:<8} {took:4.1f} s")
    for name, url in platform.urls.items():
        console.say(f"  {name:<20} {url}")
    what = "up" if target.took else "up already"
    console.say(f"platform {what} after {time.monotonic() - start:.1f} s, catalog: {platform.catalog_kind}")


@task()
def down(_context: Context) -> None:
    """End every service of the platform, whoever uses it; its data stays.

    invoke platform.down
    """
    _target().down()
    console.say("platform down, its data is kept (invoke platform.reset wipes it)")


@task(help={"yes": "do not ask"})
def reset(_context: Context, yes: bool = False) -> None:
    """End every service and wipe buckets, catalogs and remembered ports; asks first.

    invoke platform.reset --yes
    """
    target = _target()
    if not yes:
        _confirm(f"wipe {target.layout.data} with all buckets and catalogs?")
    target.reset()
    console.say("platform down, data wiped")


@task(help={"pid": "the process that the platform was started for"})
def release(_context: Context, pid: str) -> None:
    """End the lease of a run by hand; the platform ends with its last owner. A run that ends does so by itself.

    invoke platform.release --pid 4711
    """
    _target().release(words.count(pid, "--pid", most=MAX_PID))


@task(help={"json": "print JSON for programs"})
def status(_context: Context, json: bool = False) -> None:
    """Every service: state, process, age, restarts, URL. Ends with 0 when all are ready, 6 otherwise.

    invoke platform.status --json
    """
    rows = _target().status()
    if json:
        console.say(jsonlib.dumps([asdict(row) for row in rows]))
    else:
        _show(rows)
    if any(row.state not in {"ready", "remote"} for row in rows):
        raise SystemExit(int(ExitCode.TIMEOUT))


@task(
    help={
        "service": "only this one (s3, polaris, otel, jaeger, lease, supervisord)",
        "lines": "how many of the last lines of each (40)",
        "follow": "go on until Ctrl-C",
    }
)
def logs(_context: Context, service: str = "", lines: str = "40", follow: bool = False) -> None:
    """The last log lines of the services, those of an ended platform too.

    invoke platform.logs --service polaris --lines 200
    """
    from floe_ops.targets.local import logs as reading

    count = words.count(lines, "--lines", most=100_000)
    files = reading.files(_target().layout, service)
    for line in reading.last(files, count):
        console.say(line)
    if follow:
        try:
            for line in reading.follow(files):
                console.say(line)
        except KeyboardInterrupt:
            console.say("")


@task(help={"json": "print JSON for programs"})
def doctor(_context: Context, json: bool = False) -> None:
    """What this machine has and lacks for the platform, and how to get it. Ends with 5 when something is missing.

    invoke platform.doctor
    """
    from floe_ops.targets.local import doctor as checks

    findings = checks.examine(_target())
    if json:
        console.say(jsonlib.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            console.say(f"{checks.SIGNS[finding.state]} {finding.what:<16} {finding.seen}")
            if finding.remedy:
                console.say(f"{'':<19}next: {finding.remedy}")
    if any(finding.state == "missing" for finding in findings):
        raise SystemExit(int(ExitCode.MISSING))


def _target() -> LocalTarget:
    from floe_ops.targets import current
    from floe_ops.targets.local import LocalTarget

    target = current()
    if not isinstance(target, LocalTarget):
        raise UsageError(
            "the tasks of `platform` are for the local target",
            where="FLOE_TARGET",
            why=f"it names {target.name}",
            remedy="unset FLOE_TARGET",
        )
    return LocalTarget(say=lambda line: console.say(f"  {line}"))


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
    colours = {"ready": "green", "remote": "blue", "starting": "yellow", "failed": "red", "down": "dim"}
    for row in rows:
        state = f"[{colours[row.state]}]{row.state}[/]"
        up_for = f"{row.uptime_s // 60}:{row.uptime_s % 60:02d}" if row.pid else ""
        table.add_row(row.name, state, str(row.pid or ""), up_for, str(row.restarts), row.url)
    console.out().print(table)
    for row in rows:
        if row.detail:
            console.say(f"{row.name}: {row.detail}")
