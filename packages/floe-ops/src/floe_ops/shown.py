"""What the tasks at a desk and the program inside of pods say in the same words: steps, results, failures."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from floe_core.errors import FloeError

    from floe_ops.bootstrap import Report, Step
    from floe_ops.readiness import Ready
    from floe_ops.roundtrip import RoundTrip


def step(one: Step) -> str:
    """One line of the bootstrap's step log."""
    return f"  {one.outcome.value:<9} {one.step:<24} {one.seconds * 1000:6.0f} ms  {one.detail}"


def bootstrapped(report: Report) -> str:
    """The line that ends a bootstrap."""
    return f"✓ catalog {report.catalog} at {report.url} is right ({report.seconds:.2f} s)"


def ready(found: Ready) -> list[str]:
    """The lines that end a wait: what is ready, and the values that were seen."""
    summary = f"✓ catalog {found.catalog} at {found.url} is ready ({found.seconds:.2f} s, looks: {found.looks})"
    return [summary, f"  {found.answers['catalog']}"]


def roundtrip(result: RoundTrip) -> str:
    """The line that ends a round trip of a trace."""
    return f"trace {result.trace_id}: {result.spans} spans equal in Jaeger {result.found_ms:g} ms after the flush"


def steps_json(steps: Iterable[Step]) -> dict[str, object]:
    """The step log for `--json`."""
    return {"steps": [asdict(one) for one in steps]}


def bootstrapped_json(report: Report) -> dict[str, object]:
    """A bootstrap's result for `--json`."""
    summary = {"url": report.url, "catalog": report.catalog, "seconds": report.seconds}
    return summary | steps_json(report.steps)


def ready_json(found: Ready) -> dict[str, object]:
    """A wait's result for `--json`."""
    return {"ready": True, "exit_code": 0, **asdict(found)}


def failure_json(error: FloeError) -> dict[str, object]:
    """A failure for `--json`."""
    return {
        "exit_code": int(error.exit_code),
        "what": error.what,
        "where": error.where,
        "why": error.why,
        "remedy": error.remedy,
    }
