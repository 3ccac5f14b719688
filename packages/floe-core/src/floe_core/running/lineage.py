"""Tells the lineage back end what ran; a back end that fails or hangs never fails or delays the build."""

from __future__ import annotations

import json
import os
import queue
import threading
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final

from floe_core.errors import FloeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from floe_core.plugins import DbtResult, LineageBackendPlugin

DRAIN_S: Final = 10.0
"""How long the end of a build waits for events that are on their way."""
_END: Final = None


class Emitter:
    """Delivers events in their order, from a thread of its own.

    Args:
        backend: Where they go.
    """

    def __init__(self, backend: LineageBackendPlugin[Any]) -> None:
        self._backend = backend
        self._waiting: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        self._accepted = self._delivered = 0
        self._refused: list[str] = []
        # In the build's context, so that what the back end traces belongs to the build's span.
        self._thread = threading.Thread(target=copy_context().run, args=(self._deliver,), name="lineage", daemon=True)
        self._thread.start()

    def emit(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Take events to be delivered; does not wait."""
        for event in events:
            self._accepted += 1
            self._waiting.put(event)

    def close(self, timeout_s: float = DRAIN_S) -> str:
        """Wait for what is on its way; one sentence on what was not delivered, empty when all was."""
        self._waiting.put(_END)
        self._thread.join(timeout_s)
        lost = self._accepted - self._delivered
        if not lost:
            return ""
        why = self._refused[0] if self._refused else f"the back end did not answer within {timeout_s:g} s"
        return f"lineage: {lost} of {self._accepted} events were not delivered: {why}"

    def _deliver(self) -> None:
        while (event := self._waiting.get()) is not _END:
            try:
                self._backend.emit(event)
            except FloeError as error:
                self._refused.append(" ".join(part for part in (error.what, error.why) if part))
            except Exception as error:  # noqa: BLE001 - a plugin is foreign code; the build must not fail with it
                # Its words may quote a secret, so only its kind is told.
                self._refused.append(f"{self._backend.name} raised {type(error).__name__}")
            else:
                self._delivered += 1


class Story:
    """The events of one build: the product's run, and the models' below it.

    Args:
        emitter: Delivers them.
        product: The product's name.
        began: When the build began, in UTC.
        dialect: The engine that the tables lie in, for example `duckdb`.
    """

    def __init__(self, emitter: Emitter, product: str, began: datetime, dialect: str) -> None:
        from floe_core.lineage import DataSource, Job, Run, trace_facets, traceparent

        self._emitter = emitter
        self._source = DataSource(f"{dialect}://{product}", dialect)
        self._run = Run.begin(Job(product, product, job_type="PRODUCT"), began, salt=str(os.getpid()))
        self._trace = traceparent()
        self._facets = trace_facets(self._trace)

    def begin(self) -> None:
        """The product's run has begun."""
        self._tell("START", self._run.began, {})

    def built(self, result: DbtResult, dbt_manifest: Path) -> None:
        """A command of dbt has ended; models, seeds and snapshots of it are told."""
        from floe_core.lineage import model_events

        events = model_events(
            result,
            _read(dbt_manifest),
            self._run,
            data_source=self._source,
            traceparent=self._trace,
        )
        self._emitter.emit(events)

    def complete(self, at: datetime) -> None:
        """The product's run has ended well."""
        self._tell("COMPLETE", at, {})

    def fail(self, at: datetime, failure: FloeError) -> None:
        """The product's run has failed."""
        from floe_core.lineage import error_facets

        self._tell("FAIL", at, error_facets("\n".join(part for part in (failure.what, failure.why) if part)))

    def abort(self, at: datetime) -> None:
        """The product's run was stopped from outside."""
        self._tell("ABORT", at, {})

    def _tell(self, kind: str, at: datetime, facets: Mapping[str, Mapping[str, Any]]) -> None:
        from floe_core.lineage import EventKind, run_event

        run = self._run
        self._emitter.emit([run_event(EventKind(kind), run.id, run.job, at=at, facets={**self._facets, **facets})])


def _read(dbt_manifest: Path) -> dict[str, Any]:
    """The manifest of dbt; empty where there is none, which gives events without inputs and columns."""
    try:
        manifest = json.loads(dbt_manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return manifest if isinstance(manifest, dict) else {}
