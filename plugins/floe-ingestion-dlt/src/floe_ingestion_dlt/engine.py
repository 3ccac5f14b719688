"""One load with dlt, in this process. Imports dlt: to be imported inside of methods only."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from floe_core.errors import UsageError
from floe_core.plugins import IngestionError, IngestionResult

from floe_ingestion_dlt import repair
from floe_ingestion_dlt.config import DuckDBDestination
from floe_ingestion_dlt.stores import Secrets, credentials, located, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_core.plugins import IngestionRequest

    from floe_ingestion_dlt.config import DltConfig
    from floe_ingestion_dlt.sources import DltSource

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
_ENVIRONMENT = threading.Lock()


@dataclass(frozen=True)
class Job:
    """One load, with all that it needs.

    Attributes:
        request: What was asked.
        source: The source's settings.
        config: The plugin's.
        pipeline: The pipeline's name as dlt takes it.
        secrets: Those that the load resolved.
    """

    request: IngestionRequest
    source: DltSource
    config: DltConfig
    pipeline: str
    secrets: Secrets

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        destination = self.config.destination
        plain = destination.path if isinstance(destination, DuckDBDestination) else ""
        return (self.request.database or self.request.base_dir / plain).resolve()

    def repaired(self) -> int:
        """Undo what a load that was not completed left behind."""
        tables = [one.table for one in self.source.tables if one.write_disposition == "append"]
        destination = self.config.destination
        if isinstance(destination, DuckDBDestination):
            return repair.database(self.database, self.request.dataset, tables)
        url = located(destination.url, self.request.base_dir)
        store = opened(destination.store, url, self.secrets)
        return repair.files(store, url, self.request.dataset, tables)


def prepared(request: IngestionRequest, source: DltSource, config: DltConfig) -> Job:
    """The job of a request.

    Raises:
        UsageError: A name is none that dlt keeps as it is.
        IngestionError: The destination cannot do what the source asks.
    """
    pipeline = re.sub(r"[^a-z0-9]+", "_", request.pipeline.lower()).strip("_")
    for what, name in {"pipeline": pipeline, "dataset": request.dataset}.items():
        if not _NAME.match(name):
            raise UsageError(
                f"the {what} {name[:140]!r} has no name that can be kept",
                why="dlt rewrites names other than lower-case letters, digits and single underscores",
                remedy="rename it",
            )
    job = Job(request, source, config, pipeline, Secrets())
    if isinstance(config.destination, DuckDBDestination) and job.database.stem == request.dataset:
        raise UsageError(
            f"the dataset {request.dataset} has the name of its database",
            where=job.database.name,
            why="DuckDB cannot tell a schema from a database of the same name",
            remedy="rename one of them",
        )
    merged = [one.table for one in source.tables if one.write_disposition == "merge"]
    if merged and not isinstance(config.destination, DuckDBDestination):
        raise IngestionError(
            f"{request.pipeline} cannot merge into Parquet files",
            where=f"tables {', '.join(merged)}",
            why="a merge needs a database, and the destination is a folder of files",
            remedy="append with an incremental cursor, replace, or load into duckdb",
        )
    return job


def run(job: Job) -> IngestionResult:
    """Load to the end, or undo.

    Raises:
        IngestionError: The load failed.
        SecretUnavailableError: A reference points to nothing.
    """
    begin = time.monotonic()
    with _alone(job), _settings(job):
        trouble = _trouble(job)
        try:
            job.repaired()
        except trouble as error:
            raise _failure(job, error) from None
        try:
            return IngestionResult(_loaded(job), time.monotonic() - begin)
        except trouble as error:
            with suppress(*trouble):  # where the destination does not answer, the next load does it
                job.repaired()
            raise _failure(job, error) from None


def _trouble(job: Job) -> tuple[type[Exception], ...]:
    """What the engine, a source or the destination raise when they cannot."""
    from dlt.common.exceptions import DltException
    from sqlalchemy.exc import SQLAlchemyError

    common = (DltException, SQLAlchemyError, OSError, ImportError)
    if isinstance(job.config.destination, DuckDBDestination):
        import duckdb

        return (*common, duckdb.Error)
    from botocore.exceptions import BotoCoreError

    return (*common, BotoCoreError)


def _loaded(job: Job) -> dict[str, int]:
    import dlt

    from floe_ingestion_dlt.resources import of_source

    folder = job.request.work_dir / "dlt"
    # What an earlier load kept here is of no use: the destination knows what is complete.
    shutil.rmtree(folder / job.pipeline, ignore_errors=True)
    pipeline = dlt.pipeline(
        job.pipeline,
        pipelines_dir=str(folder),
        destination=_destination(job),
        dataset_name=job.request.dataset,
    )
    try:
        resources = of_source(job.source.root, job.request.base_dir, job.secrets)
        options: Any = (
            {} if isinstance(job.config.destination, DuckDBDestination) else {"loader_file_format": "parquet"}
        )
        pipeline.run(resources, **options).raise_on_failed_jobs()
        normalized = pipeline.last_trace.last_normalize_info if pipeline.last_trace else None
        counted = normalized.row_counts if normalized else {}
        return {one.table: counted.get(one.table, 0) for one in job.source.tables}
    finally:
        pipeline.deactivate()
        shutil.rmtree(folder / job.pipeline, ignore_errors=True)


def _destination(job: Job) -> Any:
    import dlt

    destination = job.config.destination
    # In one transaction, so that a table that is replaced is never seen empty.
    if isinstance(destination, DuckDBDestination):
        job.database.parent.mkdir(parents=True, exist_ok=True)
        return dlt.destinations.duckdb(str(job.database), replace_strategy="insert-from-staging")
    url = located(destination.url, job.request.base_dir)
    return dlt.destinations.filesystem(url, credentials=credentials(destination.store, url, job.secrets))


def _failure(job: Job, error: BaseException) -> IngestionError:
    deepest, resource = error, ""
    while (cause := getattr(deepest, "exception", None) or deepest.__cause__) is not None:
        deepest = cause
        resource = str(getattr(deepest, "pipe_name", "") or getattr(deepest, "table_name", "") or resource)
    tables = [one.table for one in job.source.tables]
    named = f"resource {resource}" if resource else f"tables {', '.join(tables)}"
    return IngestionError(
        f"the load {job.request.pipeline} failed",
        where=f"source {job.source.root.kind}, {named}, dataset {job.request.dataset}",
        why=f"{type(deepest).__name__}: {' '.join(job.secrets.scrubbed(str(deepest)).split())[:1000]}",
        remedy="correct the source or the destination and load again; nothing of this load remains",
    )


@contextmanager
def _alone(job: Job) -> Iterator[None]:
    """One load of a pipeline at a time on this machine; the lock ends with the process."""
    job.request.work_dir.mkdir(parents=True, exist_ok=True)
    path = job.request.work_dir / f"{job.pipeline}.lock"
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise IngestionError(
                f"the load {job.request.pipeline} is already running",
                where=str(path),
                why="another process holds its lock",
                remedy="wait for it",
            ) from None
        yield


@contextmanager
def _settings(job: Job) -> Iterator[None]:
    """What dlt takes from its environment; one load at a time in this process.

    All its folders lie below the working directory, so that nothing of this user's home is read or written, and it
    tells nobody that it ran.
    """
    work_dir = str(job.request.work_dir)
    wanted = {
        "DLT_DATA_DIR": work_dir,
        "DLT_LOCAL_DIR": work_dir,
        "DLT_PROJECT_DIR": work_dir,
        # Arrow tables too say which load brought a row: `repair` goes by it.
        "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
        "RUNTIME__REQUEST_TIMEOUT": str(job.config.request_timeout_s),
        "RUNTIME__REQUEST_MAX_ATTEMPTS": str(job.config.request_attempts),
    }
    with _ENVIRONMENT:
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            with _run_context(work_dir):
                yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


@contextmanager
def _run_context(work_dir: str) -> Iterator[None]:
    from dlt.common.runtime.run_context import RunContext, switched_run_context

    context = RunContext(work_dir)
    # Even with telemetry off dlt keeps an id in its global folder, which would be in the user's home.
    context._global_dir = work_dir  # noqa: SLF001 - made for being set, and there is no other way
    with switched_run_context(context):
        yield
