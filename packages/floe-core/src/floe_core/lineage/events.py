"""One run event, its identifiers, and the jobs and datasets it names.

Contract: the OpenLineage specification 2-0-2, `RunEvent`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from floe_core.errors import UsageError
from floe_core.lineage import facets as known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PRODUCER = known.PRODUCER
EVENT_SCHEMA = f"{known.SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"


class EventKind(StrEnum):
    """The state that a run goes into."""

    START = "START"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    ABORT = "ABORT"
    FAIL = "FAIL"
    OTHER = "OTHER"


@dataclass(frozen=True)
class Job:
    """What runs again and again.

    Attributes:
        namespace: The product's name.
        name: The product's name, or a model's id such as `model.customer_360.stg_orders`.
        job_type: What kind it is: `PRODUCT`, `MODEL`, `SEED`, …; empty to say nothing.
        sql: The SQL that it runs; empty where there is none.
        description: One sentence for people.
    """

    namespace: str
    name: str
    job_type: str = ""
    sql: str = ""
    description: str = ""

    def to_json(self, dialect: str = "") -> dict[str, Any]:
        """The `Job` of an event."""
        return {"namespace": self.namespace, "name": self.name, "facets": known.job_facets(self, dialect)}


@dataclass(frozen=True)
class DataSource:
    """Where tables lie.

    Attributes:
        uri: Address without credentials, for example `duckdb://orders.duckdb`; the namespace of its datasets.
        dialect: The SQL that it speaks, for example `duckdb`.
    """

    uri: str
    dialect: str = ""


@dataclass(frozen=True)
class Dataset:
    """One table.

    Attributes:
        source: Where it lies.
        name: Its full name there, for example `customer_360.marts.mart_orders`.
        columns: Its columns as `{"name": …, "type": …, "description": …}`; empty when not known.
        rows: Rows written by the run of the event; None when not known, and for inputs.
    """

    source: DataSource
    name: str
    columns: tuple[Mapping[str, str], ...] = ()
    rows: int | None = None

    def to_json(self, *, output: bool) -> dict[str, Any]:
        """The `InputDataset` or `OutputDataset` of an event."""
        document: dict[str, Any] = {
            "namespace": self.source.uri,
            "name": self.name,
            "facets": known.dataset_facets(self),
        }
        if output and self.rows is not None:
            document["outputFacets"] = known.statistics_facets(self.rows)
        return document


@dataclass(frozen=True)
class Run:
    """One execution of a job.

    Attributes:
        id: Names it everywhere; see `run_id`.
        job: What runs.
        began: When it began, in UTC.
        parent: The run that started it.
    """

    id: UUID
    job: Job
    began: datetime
    parent: Run | None = field(default=None, repr=False)

    @classmethod
    def begin(cls, job: Job, at: datetime, *, salt: str = "", parent: Run | None = None) -> Self:
        """The run of `job` that began at `at`."""
        return cls(run_id(job, at, salt=salt), job, utc(at), parent)


def run_id(job: Job, at: datetime, *, salt: str = "") -> UUID:
    """The id of the run of `job` that began at `at`: a version 7 UUID, so ids sort by time.

    Equal arguments give equal ids: an event that is sent twice is one event. Where two runs of one job may begin
    within the same microsecond, `salt` (a process id, an orchestrator's run id) tells them apart.

    Raises:
        UsageError: `at` has no time zone, or lies before 1970.
    """
    moment = utc(at)
    milliseconds = int(moment.timestamp() * 1000)
    if milliseconds < 0:
        raise UsageError("a run cannot have begun before 1970", why=f"it is said to have begun at {moment.isoformat()}")
    words = repr((job.namespace, job.name, moment.isoformat(), salt))
    tail = hashlib.sha256(words.encode()).digest()
    raw = bytearray(milliseconds.to_bytes(6, "big") + tail[:10])
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return UUID(bytes=bytes(raw))


def utc(at: datetime) -> datetime:
    """`at` in UTC.

    Raises:
        UsageError: It has no time zone, so nobody knows when it was.
    """
    if at.tzinfo is None:
        raise UsageError("a moment needs a time zone", why=f"{at.isoformat()} has none", remedy="use datetime.now(UTC)")
    return at.astimezone(UTC)


def run_event(  # noqa: PLR0913 - an argument for each part of an event, most of them by name
    kind: EventKind,
    run_id: UUID,
    job: Job,
    *,
    at: datetime,
    inputs: Iterable[Dataset] = (),
    outputs: Iterable[Dataset] = (),
    parent: Run | None = None,
    facets: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """One OpenLineage run event, plain JSON.

    Args:
        kind: The state that the run goes into.
        run_id: Of the run: `Run.id`, the same in each of its events.
        job: What runs.
        at: When, with its time zone.
        inputs: What it reads.
        outputs: What it writes.
        parent: The run that started it; its own parents are told as the root.
        facets: More facets of the run, for example `trace_facets(traceparent())` and `error_facets(message)`.

    Raises:
        UsageError: `at` has no time zone.
    """
    read, written = tuple(inputs), tuple(outputs)
    dialect = next((one.source.dialect for one in (*written, *read) if one.source.dialect), "")
    return {
        "eventType": kind.value,
        "eventTime": utc(at).isoformat(timespec="microseconds"),
        "run": {"runId": str(run_id), "facets": {**known.parent_facets(parent), **(facets or {})}},
        "job": job.to_json(dialect),
        "inputs": [one.to_json(output=False) for one in read],
        "outputs": [one.to_json(output=True) for one in written],
        "producer": PRODUCER,
        "schemaURL": EVENT_SCHEMA,
    }
