"""A typed client of Jaeger's query API.

Contract: `GET /api/services`, `GET /api/traces/{id}`, `GET /api/traces?service=…` of Jaeger 1.76, as its
own page uses
them: `{"data": …, "errors": [{"code", "msg"}]}`, times in microseconds since the epoch, durations in
microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from floe_core.errors import MissingToolError, NotReadyError, WrongStateError

from floe_ops.clients import untrusted

if TYPE_CHECKING:
    from collections.abc import Callable

TagValue = str | bool | int | float
REQUEST_S = 5.0
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.5
NOT_FOUND = 404
SHOWN = 2000  # characters of an answer that an error repeats


@dataclass(frozen=True)
class JaegerSpan:
    """One span as Jaeger holds it.

    Attributes:
        id: 16 hex digits.
        parent: The parent's id, or None for a root; the parent itself may be missing from the trace.
        operation: The span's name.
        service: `service.name` of the process that made it.
        start_us: Start, microseconds since the epoch.
        duration_us: Microseconds.
        tags: Attributes by name; Jaeger gives arrays as JSON text.
        status: `ok`, `error` or `unset`.
    """

    id: str
    parent: str | None
    operation: str
    service: str
    start_us: int
    duration_us: int
    tags: dict[str, TagValue] = field(default_factory=dict)
    status: str = "unset"


@dataclass(frozen=True)
class JaegerTrace:
    """The spans of one trace, by start; a span that arrived twice (the spool may send again) is held once."""

    id: str
    spans: tuple[JaegerSpan, ...]

    def named(self, operation: str) -> tuple[JaegerSpan, ...]:
        """The spans with that name."""
        return tuple(span for span in self.spans if span.operation == operation)

    def children(self, span: JaegerSpan) -> tuple[JaegerSpan, ...]:
        """The spans right below `span`."""
        return tuple(other for other in self.spans if other.parent == span.id)

    def ancestors(self, span: JaegerSpan) -> tuple[JaegerSpan, ...]:
        """The spans above `span`, nearest first; ends at a root, a missing parent or a circle."""
        by_id = {one.id: one for one in self.spans}
        found: list[JaegerSpan] = []
        current = by_id.get(span.parent or "")
        while current is not None and current not in found:
            found.append(current)
            current = by_id.get(current.parent or "")
        return tuple(found)


class TraceNotFoundError(NotReadyError):
    """A trace did not become what was waited for; `why` holds Jaeger's own last answer."""


class Jaeger:
    """Asks one Jaeger.

    Args:
        url: Base URL of the query service, for example `http://127.0.0.1:16686`.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def services(self) -> tuple[str, ...]:
        """Names of the services that have sent spans.

        Raises:
            MissingToolError: Jaeger does not answer.
            WrongStateError: Something else answers.
        """
        return tuple(str(name) for name in self._data("/api/services")[1] or ())

    def trace(self, trace_id: str) -> JaegerTrace | None:
        """The trace with that id (32 hex digits), or None while Jaeger knows no span of it; raises as `services`."""
        return self._one(trace_id)[0]

    def traces(self, service: str, *, limit: int = 20) -> tuple[JaegerTrace, ...]:
        """The newest traces that `service` takes part in; raises as `services`."""
        _, data = self._data("/api/traces", {"service": service, "limit": str(limit)})
        return tuple(read_trace(one) for one in data or ())

    def wait_for_trace(
        self,
        trace_id: str,
        predicate: Callable[[JaegerTrace], bool],
        deadline_s: float,
        *,
        wanted: str = "the trace to be whole",
    ) -> JaegerTrace:
        """Ask, first every 50 ms and then less often, until `predicate` holds for the trace.

        Args:
            trace_id: 32 hex digits.
            predicate: What the trace must be like.
            deadline_s: Seconds to wait at most.
            wanted: The predicate in words, for the error.

        Raises:
            TraceNotFoundError: The deadline passed; holds Jaeger's last answer.
        """
        from tenacity import Retrying, retry_if_result, stop_before_delay, wait_exponential

        last = "none"

        def ask() -> JaegerTrace | None:
            nonlocal last
            try:
                trace, last = self._one(trace_id)
            except (MissingToolError, WrongStateError) as error:
                trace, last = None, f"{error.what}: {error.why}"
            return trace if trace is not None and predicate(trace) else None

        found = Retrying(
            wait=wait_exponential(multiplier=FIRST_PAUSE_S, exp_base=1.5, max=LONGEST_PAUSE_S),
            stop=stop_before_delay(deadline_s),
            retry=retry_if_result(lambda trace: trace is None),
            retry_error_callback=lambda _: None,
        )(ask)
        if found is None:
            raise TraceNotFoundError(
                f"waited {deadline_s:g} s in vain for {wanted}",
                where=f"{self.url}/api/traces/{trace_id}",
                why=f"Jaeger's last answer: {last[:SHOWN]}",
                remedy="see invoke platform.status, and the collector's log for its exporter",
            )
        return found

    def _one(self, trace_id: str) -> tuple[JaegerTrace | None, str]:
        answer, data = self._data(f"/api/traces/{trace_id}")
        return (read_trace(data[0]) if data else None), answer

    def _data(self, path: str, query: dict[str, str] | None = None) -> tuple[str, list[Any] | None]:
        """The text of an answer and its list `data`; a 404 about a trace is an answer like any other."""
        import requests

        try:
            response = requests.get(self.url + path, params=query, timeout=REQUEST_S, stream=True)
            text = untrusted.body(response)
        except requests.RequestException as error:
            raise MissingToolError(
                "Jaeger does not answer",
                where=self.url + path,
                why=type(error).__name__,
                remedy="invoke platform.up starts it; invoke platform.logs shows why it ended",
            ) from error
        said = f"HTTP {response.status_code}: {text.strip()}"
        try:
            body = untrusted.document(text)
        except ValueError as error:
            raise self._wrong(path, said[:SHOWN]) from error
        data = body.get("data") if isinstance(body, dict) else said
        if not isinstance(data, list | None) or not (response.ok or response.status_code == NOT_FOUND):
            raise self._wrong(path, said[:SHOWN])
        return said, data

    def _wrong(self, path: str, seen: str) -> WrongStateError:
        return WrongStateError(
            "the answer is not one of Jaeger's query API",
            where=self.url + path,
            why=seen,
            remedy="name the query service's URL (port 16686 by default)",
        )


def read_trace(raw: dict[str, Any]) -> JaegerTrace:
    """One element of `data` as a trace.

    Raises:
        WrongStateError: It has another shape; names the field.
    """
    try:
        services = {key: str(one["serviceName"]) for key, one in raw["processes"].items()}
        spans = {one["spanID"]: _span(one, services) for one in raw["spans"]}
        ordered = sorted(spans.values(), key=lambda span: (span.start_us, span.id))
        return JaegerTrace(str(raw["traceID"]), tuple(ordered))
    except untrusted.STUMBLES as error:
        raise WrongStateError(
            "a trace from Jaeger has a shape that is not understood",
            where="data of /api/traces",
            why=untrusted.why(error),
            remedy="see that the URL is that of Jaeger 1.76 or later",
        ) from error


def _span(raw: dict[str, Any], services: dict[str, str]) -> JaegerSpan:
    tags = {tag["key"]: tag["value"] for tag in raw.get("tags") or ()}
    parents = [one["spanID"] for one in raw.get("references") or () if one["refType"] == "CHILD_OF"]
    return JaegerSpan(
        id=raw["spanID"],
        parent=parents[0] if parents else None,
        operation=raw["operationName"],
        service=services[raw["processID"]],
        start_us=int(raw["startTime"]),
        duration_us=int(raw["duration"]),
        tags=tags,
        status=str(tags.get("otel.status_code", "error" if tags.get("error") is True else "unset")).lower(),
    )
