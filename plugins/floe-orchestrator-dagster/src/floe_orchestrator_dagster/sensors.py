"""The health sensor: starts a product's job when the platform becomes healthy.

It has an explicit target, a cursor and a run key: each return of health starts one run, and starts it once. The trace
of that run begins with the tick that saw it.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from dagster import RunRequest, SensorDefinition, SensorEvaluationContext, SensorResult, SkipReason

if TYPE_CHECKING:
    from floe_orchestrator_dagster.tracing import Tracing

HEALTH_ENV = "FLOE_HEALTH_URL"
"""Where the platform answers 200 when it is ready, for example Polaris's `http://host:8182/q/health/ready`."""

_PROBE_TIMEOUT_S = 5.0
_READY = 200


def health_sensor(slug: str, job_name: str, *, interval_s: int, tracing: Tracing) -> SensorDefinition:
    """A sensor that requests one run of a job each time that the platform turns from not healthy to healthy.

    The cursor keeps what the last look saw and how often health has returned; that number is the run key, so that
    a tick which is evaluated twice requests one run. The first look counts as "not healthy before".

    Args:
        slug: The product's name as Dagster takes it.
        job_name: The job to run.
        interval_s: Least seconds between two looks.
        tracing: Where the spans of a tick that requests a run go.
    """
    name = f"{slug}_when_healthy"

    def look(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        url = os.environ.get(HEALTH_ENV)
        if not url:
            return SkipReason(f"nothing to watch: set {HEALTH_ENV} to the platform's health address")
        was, returns = _remembered(context.cursor)
        # Who resets the cursor does not reset the keys: Dagster would take the first ones as runs that it has started.
        returns = max(returns, _counted(context.last_run_key, slug))
        healthy, seen = probe(url)
        if healthy and not was:
            returns += 1
        cursor = json.dumps({"healthy": healthy, "returns": returns})
        if healthy and not was:
            tags = {"floe/trigger": "health", **tracing.requested(name, job_name)}
            request = RunRequest(run_key=f"{_prefix(slug)}{returns}", tags=tags)
            return SensorResult(run_requests=[request], cursor=cursor)
        return SensorResult(skip_reason=f"{url}: {seen}", cursor=cursor)

    return SensorDefinition(
        name=name,
        job_name=job_name,
        evaluation_fn=look,
        minimum_interval_seconds=interval_s,
        description=f"Builds the product when {HEALTH_ENV} answers {_READY} again.",
    )


def probe(url: str) -> tuple[bool, str]:
    """Whether `url` answers 200, and what was seen; never raises for a platform that is down."""
    import requests

    try:
        answer = requests.get(url, timeout=_PROBE_TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        return False, f"no answer ({type(error).__name__})"
    return answer.status_code == _READY, f"answered {answer.status_code}"


def _prefix(slug: str) -> str:
    return f"{slug}-healthy-"


def _counted(run_key: str | None, slug: str) -> int:
    """The number in the last run key; 0 where there is none."""
    number = (run_key or "").removeprefix(_prefix(slug))
    return int(number) if number.isascii() and number.isdigit() else 0


def _remembered(cursor: str | None) -> tuple[bool, int]:
    """What the last look saw; a cursor that cannot be read is as none."""
    try:
        memory = json.loads(cursor or "{}")
        return bool(memory.get("healthy")), int(memory.get("returns", 0))
    except (ValueError, AttributeError, TypeError, OverflowError, RecursionError):
        return False, 0
