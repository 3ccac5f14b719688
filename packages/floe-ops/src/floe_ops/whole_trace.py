"""Whether a run's trace is whole: session → task → compile stages → dbt nodes → Iceberg commit, in one tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from floe_ops.clients.jaeger import JaegerSpan, JaegerTrace

COMMIT = "iceberg commit "
ABOVE = ("session ", "task ", "build ")
STAGES = ("load", "validate", "resolve", "enforce", "compile", "generate")
NODE = "dbt.node.id"


def gaps(trace: JaegerTrace) -> list[str]:
    """What is missing for the chain to be whole at least once; empty when it is.

    The commit with the fewest gaps counts: a run holds many builds, and not each of them publishes.
    """
    commits = [span for span in trace.spans if span.operation.startswith(COMMIT)]
    if not commits:
        return ["no Iceberg commit is in the trace"]
    return min((_gaps_of(trace, commit) for commit in commits), key=len)


def _gaps_of(trace: JaegerTrace, commit: JaegerSpan) -> list[str]:
    above = trace.ancestors(commit)
    missing = [
        f"no span named {prefix!r}… is above {commit.operation!r}"
        for prefix in ABOVE
        if not any(span.operation.startswith(prefix) for span in above)
    ]
    build = next((span for span in above if span.operation.startswith("build ")), None)
    return missing + (_gaps_below(trace, build) if build else [])


def _gaps_below(trace: JaegerTrace, build: JaegerSpan) -> list[str]:
    inside = [span for span in trace.spans if build in trace.ancestors(span)]
    names = {span.operation for span in inside}
    missing = [
        f"compile.{stage} is not below {build.operation!r}" for stage in STAGES if f"compile.{stage}" not in names
    ]
    if not any(NODE in span.tags for span in inside):
        missing.append(f"no dbt node is below {build.operation!r}")
    return missing
