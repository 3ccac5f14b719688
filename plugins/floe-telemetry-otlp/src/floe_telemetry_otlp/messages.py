"""Reading OTLP messages: how many spans a request holds, how many an answer says were thrown away.

Contract: `opentelemetry/proto/collector/trace/v1/trace_service.proto`, in its protobuf and its JSON form.
"""

from __future__ import annotations

import json

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


class UnreadableError(Exception):
    """The bytes do not hold a trace request."""


def spans_in(content_type: str, body: bytes) -> int:
    """How many spans a request holds.

    Raises:
        UnreadableError: It is torn, something else, or empty: a request without spans tells nobody anything.
    """
    count = _json_spans(body) if content_type == JSON else _protobuf_spans(body)
    if not count:
        raise UnreadableError("it holds no spans")
    return count


def rejected_in(content_type: str, answer: bytes) -> int:
    """The spans that a partial success names; an answer that cannot be read names none."""
    try:
        if content_type == JSON:
            return int(json.loads(answer or b"{}").get("partialSuccess", {}).get("rejectedSpans", 0))
        return int(ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans)
    except (DecodeError, ValueError, AttributeError, TypeError):
        return 0


def _protobuf_spans(body: bytes) -> int:
    try:
        request = ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise UnreadableError("it is no OTLP trace request") from error
    return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)


def _json_spans(body: bytes) -> int:
    try:
        document = json.loads(body)
        scopes = [scope for resource in document["resourceSpans"] for scope in resource["scopeSpans"]]
        return sum(len(scope["spans"]) for scope in scopes)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableError(f"it is no OTLP/JSON trace request ({type(error).__name__})") from error
