"""Invoke tasks of the namespace `polaris`, and `polaris-wait` at the root.

Numbers arrive as text and are parsed by the project, since Invoke answers a word with a stack trace.
"""

from __future__ import annotations

import json as jsonlib
import sys
import time
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, MissingToolError

from floe_ops import console, evidence, shown, words
from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invoke.context import Context

    from floe_ops.bootstrap import Report, Step
    from floe_ops.warehouse import Warehouse

WAIT_HELP = {
    "timeout": "seconds until it gives up (60)",
    "catalog": "the catalog to wait for (FLOE_CATALOG, else floe-e2e)",
    "location": "its base location, where it is not the platform's own catalog",
    "streak": "how many good looks in a row (1; the acceptance gate takes 3)",
    "json": "print the result as JSON",
}


def _wait(
    _context: Context,
    timeout: str = "60",
    catalog: str = "",
    location: str = "",
    streak: str = "1",
    json: bool = False,
) -> None:
    """Wait until the right catalog is served: health, token and catalog, compared by value.

    invoke polaris-wait
    invoke polaris-wait --timeout 120 --streak 3
    FLOE_POLARIS_URL=http://polaris:8181 invoke polaris-wait --catalog floe-e2e --json

    Ends with 0 ready, 2 bad words, 3 credentials refused, 4 other values, 5 no platform, 6 not in time.
    """
    start = time.monotonic()  # loading the client counts too: the deadline is the caller's
    limit = words.seconds(timeout, "--timeout")
    wanted = words.count(streak, "--streak")
    from floe_ops import readiness

    def find() -> Warehouse | None:
        found = _find()
        return found.named(catalog, location) if found else None

    try:
        ready = readiness.wait(find, readiness.Terms(limit, streak=wanted, start=start), _aside)
    except FloeError as error:
        if json:
            _print_json({"ready": False, **shown.failure_json(error)})
        raise
    if json:
        _print_json(shown.ready_json(ready))
        return
    for line in shown.ready(ready):
        console.say(line)


wait = task(name="wait", help=WAIT_HELP)(_wait)
AT_ROOT = (task(name="polaris-wait", help=WAIT_HELP)(_wait),)


@task(
    help={
        "timeout": "seconds to wait for Polaris and the object store to answer (60)",
        "dry-run": "show what it would do, change nothing",
        "expect-bucket": "the bucket must be there already; never create it",
        "json": "print the step log as JSON",
    }
)
def bootstrap(
    _context: Context,
    timeout: str = "60",
    dry_run: bool = False,
    expect_bucket: bool = False,
    json: bool = False,
) -> None:
    """Make bucket, catalog, roles and grants where they are missing, and verify all of it by value.

    invoke polaris.bootstrap
    invoke polaris.bootstrap --dry-run
    invoke polaris.bootstrap --expect-bucket --json

    Nothing that is there is changed. Ends with 0 right, 2 bad words, 3 refused, 4 other values (the differences are
    printed), 5 no platform, 6 no answer in time.
    """
    from floe_ops import bootstrap as program

    limit = words.seconds(timeout, "--timeout")
    warehouse = _required()
    if dry_run:
        _print_plan(program.plan(warehouse, timeout_s=limit, create_bucket=not expect_bucket), json=json)
        return
    report = program.bootstrap(
        warehouse,
        timeout_s=limit,
        create_bucket=not expect_bucket,
        tell=(lambda _step: None) if json else _print_step,
        waiting=_aside,
    )
    _record(report)
    if json:
        _print_json(shown.bootstrapped_json(report))
        return
    console.say(shown.bootstrapped(report))


@task(help={"timeout": "seconds until it gives up (30)"})
def token(_context: Context, timeout: str = "30") -> None:
    """Print a bearer token for Polaris to standard output, and nothing else, for scripts.

    curl -H "Authorization: Bearer $(invoke polaris.token)" "$FLOE_POLARIS_URL/api/management/v1/catalogs"

    The secret comes from POLARIS_CLIENT_SECRET or from the running platform, never from the command line.
    """
    from floe_catalog_polaris.transport import Timeouts

    limit = words.seconds(timeout, "--timeout")
    with _required().client(Timeouts(total=limit)) as client:
        sys.stdout.write(f"{client.token()}\n")
    sys.stdout.flush()


def _find() -> Warehouse | None:
    from floe_ops import targets, warehouse

    return warehouse.find(lambda: targets.current().find())


def _required() -> Warehouse:
    found = _find()
    if found is None:
        raise MissingToolError(
            "there is no Polaris to talk to",
            where="FLOE_POLARIS_URL is not set, and no platform runs on this target",
            remedy="run `invoke platform.up`, or set FLOE_POLARIS_URL to a running Polaris",
        )
    return found


def _aside(line: str) -> None:
    console.err().print(f"… {line}", markup=False)


def _print_step(step: Step) -> None:
    console.say(shown.step(step))


def _print_plan(steps: tuple[Step, ...], *, json: bool) -> None:
    if json:
        _print_json(shown.steps_json(steps))
        return
    for step in steps:
        _print_step(step)
    todo = sum(step.outcome.value == "to create" for step in steps)
    console.say(f"{todo} of {len(steps)} to create" if todo else "nothing to do: all of it is there and right")


def _print_json(result: Mapping[str, object]) -> None:
    sys.stdout.write(jsonlib.dumps(result) + "\n")
    sys.stdout.flush()


def _record(report: Report) -> None:
    evidence.record("WU1-AC1", "passed", f"read back and compared by value: {report.detail('catalog')}")
    evidence.record("WU1-AC2", "passed", f"signed HeadBucket: {report.detail('bucket')}")
