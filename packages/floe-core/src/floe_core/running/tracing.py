"""The spans of a build: given to the platform's telemetry back end, and never a reason for a build to fail."""

from __future__ import annotations

import contextlib
import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

from floe_core.errors import FloeError
from floe_core.running.bounded import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from floe_core.compilation import CompiledArtifacts
    from floe_core.plugins import TelemetryBackendPlugin, TelemetrySession
    from floe_core.running.crew import Crew
    from floe_core.running.places import Places
    from floe_core.spec.secrets import SecretStore

ENDPOINT_ENV: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
FLUSH_S: Final = 10.0
START_S: Final = 10.0


@contextmanager
def traced(
    crew: Crew,
    artifacts: CompiledArtifacts,
    places: Places,
    noted: Callable[[str], None],
) -> Iterator[None]:
    """Export the spans of this block; what keeps them from being exported is noted.

    Args:
        crew: Its telemetry back end takes them; nothing happens without one, or where OTEL_SDK_DISABLED is true.
        artifacts: The compiled product, which names the collector.
        places: A back end's relative paths lie below the product's target.
        noted: Told in one sentence what went wrong.
    """
    backend = crew.telemetry
    if backend is None or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield
        return
    store = crew.secrets.get if crew.secrets is not None else None
    with ExitStack() as environment:
        try:
            environment.enter_context(_endpoint(artifacts, store))
            session = _started(backend, artifacts, places)
        except FloeError as error:
            noted(f"traces: {error.what}: {error.why}")
            session = None
        try:
            yield
        finally:
            if session is not None:
                noted(_ended(session))


def _started(backend: TelemetryBackendPlugin[Any], artifacts: CompiledArtifacts, places: Places) -> TelemetrySession:
    metadata = artifacts.metadata
    attributes = {
        "service.version": metadata.product_version,
        "floe.product.name": metadata.product_name,
        "floe.product.version": metadata.product_version,
    }
    with contextlib.chdir(places.target):
        return bounded("starting the traces", lambda: backend.start(metadata.product_name, attributes), START_S)


def _ended(session: TelemetrySession) -> str:
    """Flush and close; one sentence on what did not arrive, empty when all did."""
    said: list[str] = []
    try:
        if not bounded("sending the traces", lambda: session.flush(FLUSH_S), FLUSH_S + 1):
            said.append("no collector has taken them all; the rest waits for the next run")
    except FloeError as error:
        said.append(f"{error.what}: {error.why}")
    try:  # also after a flush that failed: a session that is not ended keeps its threads
        bounded("ending the tracing", session.shutdown, FLUSH_S)
    except FloeError as error:
        said.append(f"{error.what}: {error.why}")
    return f"traces: {'; '.join(said)}" if said else ""


@contextmanager
def _endpoint(artifacts: CompiledArtifacts, store: SecretStore | None) -> Iterator[None]:
    """Name the manifest's collector to the back end, where the environment names none."""
    from floe_core.spec.secrets import STORE_KEY, SecretRef, resolved

    written = artifacts.tracing.endpoint
    if not written or os.environ.get(ENDPOINT_ENV):
        yield
        return
    by_reference = isinstance(written, dict)
    setting = SecretRef.model_validate(written, context={STORE_KEY: store}) if by_reference else str(written)
    os.environ[ENDPOINT_ENV] = resolved(setting)
    try:
        yield
    finally:
        os.environ.pop(ENDPOINT_ENV, None)
