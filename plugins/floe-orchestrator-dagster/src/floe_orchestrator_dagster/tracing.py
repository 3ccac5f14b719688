"""The caller's trace goes on in a run: spans of its steps hang below whoever launched it, and leave with the step.

The caller is named by the run's tag `traceparent` (W3C Trace Context), which sensors and schedules put on what they
request and which a launch by GraphQL can carry, else by the variable TRACEPARENT, as for a run from a command line.
The first step of a run makes the span of the run and notes it on the run, so that all steps hang below one span
whichever processes they run in. Spans go where the platform's telemetry plugin sends them; nothing here can fail a run.
"""

import contextlib
import os
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, cast

from dagster import Config, DagsterInstance, DagsterRun
from floe_core.errors import FloeError
from floe_core.plugins import PluginType
from floe_core.running.bounded import bounded
from floe_core.spec.secrets import STORE_KEY, SecretRef, resolved
from floe_core.telemetry import span
from pydantic import Field

from floe_orchestrator_dagster.product import Product
from floe_orchestrator_dagster.resources.chosen import Chosen, secret_store

if TYPE_CHECKING:
    from logging import Logger

    from floe_core.plugins import TelemetryBackendPlugin, TelemetrySession
    from opentelemetry.context import Context
    from opentelemetry.util.types import AttributeValue

TRACEPARENT_ENV: Final = "TRACEPARENT"
TRACEPARENT_TAG: Final = "traceparent"
"""The run's tag with its caller."""
RUN_SPAN_TAG: Final = "floe/run_span"
"""The run's tag with the span that its steps hang below."""
ENDPOINT_ENV: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
DISABLED_ENV: Final = "OTEL_SDK_DISABLED"
FLUSH_S: Final = 5.0
START_S: Final = 10.0

_WRITTEN: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_STARTING: Final = threading.Lock()


class Step(Protocol):
    """What of Dagster's contexts is needed here; those of ops, assets, inputs and outputs have it."""

    @property
    def instance(self) -> DagsterInstance | None:
        """The instance that keeps the run."""

    @property
    def run(self) -> DagsterRun | None:
        """The run, as it was when the step began."""

    @property
    def log(self) -> "Logger | None":
        """The run's log."""


class Tracing(Config):
    """Where a product's spans go.

    Attributes:
        product: The product's name.
        version: Its version.
        folder: What a back end keeps on disk lies below it.
        backend: The platform's telemetry plugin; None where the manifest wants no traces.
        secrets_plugin: Where references `{secret: NAME}` are looked up.
        endpoint: The collector that the manifest names; the environment wins.
        endpoint_reference: Or where its address lies.
    """

    product: str
    version: str
    folder: str
    backend: Chosen | None = None
    secrets_plugin: Chosen | None = None
    endpoint: str = ""
    endpoint_reference: dict[str, str] = Field(default_factory=dict)

    @classmethod
    def of(cls, product: Product) -> Self:
        """What the platform of `product` says; without one, OTLP where the environment names a collector."""
        artifacts, metadata = product.artifacts, product.spec.metadata
        if artifacts is None:
            backend = Chosen(plugin="otlp") if os.environ.get(ENDPOINT_ENV) else None
            return cls(product=metadata.name, version=metadata.version, folder=str(product.state), backend=backend)
        said = artifacts.tracing.endpoint
        return cls(
            product=metadata.name,
            version=metadata.version,
            folder=str(product.state),
            backend=product.chosen(PluginType.TELEMETRY_BACKEND) if artifacts.tracing.enabled else None,
            secrets_plugin=product.chosen(PluginType.SECRETS),
            endpoint=said if isinstance(said, str) else "",
            endpoint_reference=said if isinstance(said, dict) else {},
        )

    @contextmanager
    def step(self, context: Step, name: str, **attributes: "AttributeValue") -> Iterator[None]:
        """A span `name` of a step, below the span of its run; flushed as it ends, a failure recorded on it.

        Args:
            context: Dagster's context of the step.
            name: The span's name.
            attributes: What is noted on the span besides the product and the run.
        """
        session = self._session(context.log)
        try:
            with _attached(self._of_run(context)), span(name, **{**self._noted(context.run), **attributes}):
                yield
        finally:
            if session is not None:
                _flush(session, context.log)

    def requested(self, what: str, job: str) -> dict[str, str]:
        """Tags for a run that a tick requests: a trace of its own, which begins with the tick.

        Args:
            what: The name of the sensor or schedule.
            job: The job that it requests.
        """
        session = self._session(None)
        from opentelemetry.context import Context

        attributes = {"floe.product.name": self.product, "dagster.tick": what, "dagster.job": job}
        with _attached(Context()), span(f"dagster tick {what}", **attributes):
            tags = {TRACEPARENT_TAG: _current() or _random()}
        if session is not None:
            _flush(session, None)
        return tags

    def _noted(self, run: DagsterRun | None) -> "dict[str, AttributeValue]":
        noted: dict[str, AttributeValue] = {"floe.product.name": self.product, "floe.product.version": self.version}
        return {**noted, "dagster.run_id": run.run_id, "dagster.job": run.job_name} if run is not None else noted

    def _of_run(self, context: Step) -> "Context | None":
        """The context of the run's span, which is made where this step is the first to ask."""
        run, instance = context.run, context.instance
        if run is None or instance is None:
            return None
        kept = instance.get_run_by_id(run.run_id)
        tags = kept.tags if kept is not None else run.tags
        if known := _read(tags.get(RUN_SPAN_TAG)):
            return known
        caller = _written(tags.get(TRACEPARENT_TAG)) or _written(os.environ.get(TRACEPARENT_ENV))
        with _attached(_read(caller)), span(f"dagster run {run.job_name}", **self._noted(run)):
            made = _current()
        if made and kept is not None:
            noted = {RUN_SPAN_TAG: made, **({TRACEPARENT_TAG: caller} if caller else {})}
            instance.add_run_tags(run.run_id, noted)
        return _read(made or caller)

    def _session(self, log: "Logger | None") -> "TelemetrySession | None":
        """The telemetry of this process, set up by the first who asks; None where there is none."""
        if self.backend is None or os.environ.get(DISABLED_ENV, "").lower() == "true":
            return None
        try:
            # The working directory is where a back end puts relative paths, and it belongs to the whole process.
            with _STARTING, self._collector():
                return bounded("starting the traces", self._started, START_S)
        except (FloeError, OSError) as error:
            _tell(log, f"traces: {error.what}: {error.why}" if isinstance(error, FloeError) else f"traces: {error}")
            return None

    def _started(self) -> "TelemetrySession":
        assert self.backend is not None  # noqa: S101 # nosec B101 - for mypy; `_session` has asked
        backend = cast(
            "TelemetryBackendPlugin[Any]",
            self.backend.create(PluginType.TELEMETRY_BACKEND, secret_store(self.secrets_plugin)),
        )
        attributes = {
            "service.version": self.version,
            "floe.product.name": self.product,
            "floe.product.version": self.version,
        }
        os.makedirs(self.folder, exist_ok=True)  # noqa: PTH103 - a text from a configuration
        with contextlib.chdir(self.folder):
            return backend.start(self.product, attributes)

    @contextmanager
    def _collector(self) -> Iterator[None]:
        """Name the manifest's collector to the back end, where the environment names none."""
        if not os.environ.get(ENDPOINT_ENV):
            address = self.endpoint
            if self.endpoint_reference:
                store = secret_store(self.secrets_plugin)
                address = resolved(SecretRef.model_validate(self.endpoint_reference, context={STORE_KEY: store}))
            if address:
                os.environ[ENDPOINT_ENV] = address
        yield


def _flush(session: "TelemetrySession", log: "Logger | None") -> None:
    """Send what is pending now: a step's process may end at once. What does not arrive is said."""
    try:
        sent = bounded("sending the traces", lambda: session.flush(FLUSH_S), FLUSH_S + 1)
    except FloeError as error:
        _tell(log, f"traces: {error.what}: {error.why}")
        return
    if sent:
        return
    if where := os.environ.get(ENDPOINT_ENV):
        _tell(log, f"traces: no collector at {where} took them all; the rest waits on disk for the next step")
    elif log is not None:
        log.info("traces: %s names no collector; they wait on disk for one", ENDPOINT_ENV)


def _tell(log: "Logger | None", sentence: str) -> None:
    if log is not None:
        log.warning(sentence)


@contextmanager
def _attached(context: "Context | None") -> Iterator[None]:
    """Make `context` the current one; nothing for None."""
    from opentelemetry.context import attach, detach

    if context is None:
        yield
        return
    token = attach(context)
    try:
        yield
    finally:
        detach(token)


def _written(text: str | None) -> str:
    """`text` where it is a traceparent; empty for anything else."""
    return text if text and _WRITTEN.fullmatch(text) else ""


def _read(text: str | None) -> "Context | None":
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    if not _written(text):
        return None
    return TraceContextTextMapPropagator().extract({TRACEPARENT_TAG: str(text)}, Context())


def _current() -> str:
    """The current span as a traceparent; empty without a configured SDK."""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(TRACEPARENT_TAG, "")


def _random() -> str:
    """A trace that nobody has begun: its runs still find each other."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
