"""Runs: launch one, wait for it with a diagnosis, read what it made and checked.

Contract: `launchRun` takes a selector (repository, location, job, assets where not all of the job's), tags, and
answers with the run, which the daemon takes off the queue; `logsForRun` has its events page by page; what a step
printed is `capturedLogs` of `[run, "compute_logs", fileKey]`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from floe_core.errors import FloeError, MissingToolError, NotReadyError, WrongStateError

from floe_ops.clients.dagster import queries
from floe_ops.clients.dagster.answers import CheckResult, Materialization, Run
from floe_ops.clients.dagster.webserver import short, told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from floe_ops.clients.dagster.answers import Repository
    from floe_ops.clients.dagster.webserver import Webserver

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.5
PAGE = 1000
LOG_LINES = 30
UNFINISHED = ("NOT_STARTED", "QUEUED", "STARTING", "STARTED", "CANCELING")
_VALUES = ("floatValue", "boolValue", "text", "mdStr", "path", "url", "timestamp")


class Runs:
    """The runs of one Dagster."""

    def __init__(self, web: Webserver) -> None:
        self._web = web

    def launch(
        self,
        repository: Repository,
        job: str,
        *,
        assets: Iterable[str] = (),
        tags: Mapping[str, str] | None = None,
        config: Mapping[str, object] | None = None,
    ) -> Run:
        """Put a run of a job into the queue.

        Args:
            repository: What serves the job.
            job: Its name.
            assets: Keys, `a/b/c`, of those to make; all of the job's where there is none.
            tags: Value by name, for example the `traceparent` that the run continues.
            config: The run's configuration.

        Raises:
            MissingToolError: The webserver does not answer.
            WrongStateError: There is no such job or asset, or the configuration does not fit.
        """
        selector: dict[str, object] = {**repository.selector(), "pipelineName": job}
        keys = [{"path": key.split("/")} for key in assets]
        if keys:
            selector["assetSelection"] = keys
        named = [{"key": key, "value": value} for key, value in (tags or {}).items()]
        parameters = {
            "selector": selector,
            "runConfigData": json.dumps(config or {}),
            "mode": "default",
            "executionMetadata": {"tags": named},
        }
        return self._web.member(
            queries.LAUNCH,
            "launchRun",
            "LaunchRunSuccess",
            lambda found: _run(found["run"]),
            {"parameters": parameters},
        )

    def get(self, run: str) -> Run:
        """The run of that id; raises as `launch`."""
        return self._web.member(queries.RUN, "runOrError", "Run", _run, {"run": run})

    def last(
        self,
        limit: int = 10,
        *,
        statuses: Iterable[str] = (),
        tags: Mapping[str, str] | None = None,
        updated_before: float | None = None,
    ) -> list[Run]:
        """The newest runs first; raises as `launch`.

        Args:
            limit: How many at most.
            statuses: Those that count; all where none is named.
            tags: What a run must carry.
            updated_before: Seconds since the epoch, before which nothing of a run may have changed.
        """
        wanted: dict[str, object] = {}
        if listed := list(statuses):
            wanted["statuses"] = listed
        if updated_before is not None:
            wanted["updatedBefore"] = updated_before
        if tags:
            wanted["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
        return self._web.member(
            queries.RUNS,
            "runsOrError",
            "Runs",
            lambda found: [_run(one) for one in found["results"]],
            {"filter": wanted, "limit": limit},
        )

    def wait(self, run: str, deadline_s: float) -> Run:
        """Wait until the run is over and return it, if it ended well.

        Raises:
            WrongStateError: It failed or was cancelled; says which step, its error, and the last lines it printed.
            NotReadyError: It is not over in time.
            MissingToolError: The webserver does not answer, up to the last.
        """
        from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_exponential

        seen: Run = Retrying(
            wait=wait_exponential(multiplier=FIRST_PAUSE_S, exp_base=1.5, max=LONGEST_PAUSE_S),
            stop=stop_after_delay(deadline_s),
            # One answer that does not come is no reason to lose sight of a run that goes on.
            retry=retry_if_result(lambda found: not found.is_over) | retry_if_exception_type(MissingToolError),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else self.get(run),
        )(lambda: self.get(run))
        if seen.status == "SUCCESS":
            return seen
        where = f"{self._web.url}/runs/{run}"
        if not seen.is_over:
            raise NotReadyError(
                f"the run of {seen.job} is not over after {deadline_s:g} s",
                where=where,
                why=f"its status is {seen.status}; {self.diagnosis(run) or 'no step has failed'}",
                remedy=_remedy(seen),
            )
        raise WrongStateError(
            f"the run of {seen.job} ended with {seen.status}",
            where=where,
            why=self.diagnosis(run) or "Dagster has no error on record",
            remedy="mend what the step's error names, then launch it again",
        )

    def events(self, run: str) -> Iterator[dict[str, Any]]:
        """The events of a run as GraphQL answers them, oldest first; raises as `launch`."""
        after: str | None = None
        while True:
            page = self._web.member(
                queries.EVENTS, "logsForRun", "EventConnection", _page, {"run": run, "after": after, "limit": PAGE}
            )
            yield from page[0]
            after = page[1]
            if not page[2]:
                return

    def materializations(self, run: str) -> list[Materialization]:
        """What a run made, with metadata; raises as `launch`."""
        return self._read(run, "MaterializationEvent", _materialization)

    def checks(self, run: str) -> list[CheckResult]:
        """What the asset checks of a run found; raises as `launch`."""
        return self._read(run, "AssetCheckEvaluationEvent", lambda event: _check(event["evaluation"]))

    def diagnosis(self, run: str) -> str:
        """Why a run failed: each failed step's error and the last lines that it printed, or the run's own error.

        Never raises: it is for an error that is being told.
        """
        try:
            events = list(self.events(run))
            failed = [event for event in events if event["__typename"] == "ExecutionStepFailureEvent"]
            said = [f"step {event['stepKey']}: {short(told(event['error']))}" for event in failed]
            said += [line for event in failed for line in self._printed(run, event["stepKey"], events)]
            if not said:
                ends = [one for one in events if one["__typename"] in {"RunFailureEvent", "RunCanceledEvent"}]
                said = [short(f"{one['message']} {told(one['error'])}") for one in ends]
        except (FloeError, LookupError, TypeError, AttributeError) as error:
            return f"its events cannot be read: {error}"
        return "".join(f"\n    {line}" for line in said)

    def printed(self, run: str, key: str) -> str:
        """What a step's process wrote to its standard output and error; raises as `launch`."""

        def read(data: dict[str, Any]) -> str:
            logs = data["capturedLogs"]
            return f"{logs['stdout'] or ''}{logs['stderr'] or ''}"

        return self._web.data(queries.STEP_LOGS, "capturedLogs", read, {"key": [run, "compute_logs", key]})

    def give_up(self, runs: Iterable[str]) -> None:
        """Mark runs as cancelled whose processes are gone; raises as `launch`."""
        listed = list(runs)
        if listed:
            self._web.member(queries.TERMINATE, "terminateRuns", "TerminateRunsResult", str, {"runs": listed})

    def _printed(self, run: str, step: str, events: list[dict[str, Any]]) -> list[str]:
        captured = [one for one in events if one["__typename"] == "LogsCapturedEvent"]
        keys = [one["fileKey"] for one in captured if step in (one["stepKeys"] or ())]
        lines = [line for key in dict.fromkeys(keys) for line in self.printed(run, key).splitlines()]
        return [f"| {line[:400]}" for line in lines[-LOG_LINES:]]

    def _read(self, run: str, kind: str, read: Any) -> list[Any]:
        try:
            return [read(event) for event in self.events(run) if event["__typename"] == kind]
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise self._web.wrong("/graphql", f"a {kind} has another shape: {error!r}") from error


def key_of(found: dict[str, Any]) -> str:
    """An asset's key as people write it: `a/b/c`."""
    return "/".join(str(part) for part in found["path"])


def _remedy(run: Run) -> str:
    queued = run.status in {"QUEUED", "NOT_STARTED"}
    return "see that the daemon runs: it takes runs off the queue" if queued else "wait for it, or look at its log"


def _run(found: dict[str, Any]) -> Run:
    origin = found["repositoryOrigin"] or {}
    return Run(
        id=str(found["id"]),
        job=str(found["jobName"]),
        status=str(found["status"]),
        location=str(origin.get("repositoryLocationName", "")),
        started=found["startTime"],
        ended=found["endTime"],
        tags={str(tag["key"]): str(tag["value"]) for tag in found["tags"]},
    )


def _page(found: dict[str, Any]) -> tuple[list[dict[str, Any]], str, bool]:
    events = [dict(event) for event in found["events"]]
    return events, str(found["cursor"]), bool(found["hasMore"] and events)


def _materialization(event: dict[str, Any]) -> Materialization:
    return Materialization(
        key_of(event["assetKey"]), str(event["runId"]), str(event["stepKey"]), _metadata(event["metadataEntries"])
    )


def _check(found: dict[str, Any]) -> CheckResult:
    return CheckResult(
        asset=key_of(found["assetKey"]),
        check=str(found["checkName"]),
        passed=bool(found["success"]),
        severity=str(found["severity"]),
        metadata=_metadata(found["metadataEntries"]),
    )


def _metadata(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {str(entry["label"]): _value(entry) for entry in entries}


def _value(entry: dict[str, Any]) -> Any:
    """An entry's value, None where it has no plain one; an integer comes as digits, since GraphQL's own has 32 bits."""
    if "intRepr" in entry:
        return int(entry["intRepr"])
    if "jsonString" in entry:
        return json.loads(entry["jsonString"])
    return next((entry[name] for name in _VALUES if name in entry), None)
