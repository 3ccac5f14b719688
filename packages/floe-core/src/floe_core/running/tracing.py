"""The spans of a build: given to the platform's telemetry back end, and never a reason for a build to fail."""

from __future__ import annotations

import contextlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from floe_core.errors import FloeError
from floe_core.running.bounded import bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from floe_core.compilation import CompiledArtifacts
    from floe_core.plugins import TelemetryBackendPlugin
    from floe_core.running.places import Places

ENDPOINT_ENV: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
FLUSH_S: Final = 10.0


@contextmanager
def traced(
    backend: TelemetryBackendPlugin[Any] | None,
    artifacts: CompiledArtifacts,
    places: Places,
    noted: Callable[[str], None],
) -> Iterator[None]:
    """Export the spans of this block; what keeps them from being exported is noted.

    Args:
        backend: Takes them; nothing happens without one, or where OTEL_SDK_DISABLED is true.
        artifacts: The compiled product, which names the collector.
        places: A back end's relative paths lie below the product's target.
        noted: Told in one sentence what went wrong.
    """
    if backend is None or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield
        return
    metadata = artifacts.metadata
    attributes = {
        "service.version": metadata.product_version,
        "floe.product.name": metadata.product_name,
        "floe.product.version": metadata.product_version,
    }
    with _endpoint(artifacts):
        try:
            with contextlib.chdir(places.target):
                session = backend.start(metadata.product_name, attributes)
        except FloeError as error:
            noted(f"traces: {error.what}: {error.why}")
            yield
            return
        try:
            yield
        finally:
            try:
                arrived = bounded("sending the traces", lambda: session.flush(FLUSH_S), FLUSH_S + 1)
                bounded("ending the tracing", session.shutdown, FLUSH_S)
                if not arrived:
                    noted("traces: no collector has taken them all; the rest waits for the next run")
            except FloeError as error:
                noted(f"traces: {error.what}: {error.why}")


@contextmanager
def _endpoint(artifacts: CompiledArtifacts) -> Iterator[None]:
    """Name the manifest's collector to the back end, where the environment names none."""
    from floe_core.spec.secrets import SecretRef, resolved

    written = artifacts.tracing.endpoint
    if not written or os.environ.get(ENDPOINT_ENV):
        yield
        return
    os.environ[ENDPOINT_ENV] = resolved(SecretRef.model_validate(written) if isinstance(written, dict) else written)
    try:
        yield
    finally:
        os.environ.pop(ENDPOINT_ENV, None)
