"""One request of the OTLP/HTTP protocol: what is sent where, and what the collector's answer means.

Contract: the OTLP specification, section OTLP/HTTP (paths, content types, retryable codes, partial success).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from floe_telemetry_otlp.messages import PROTOBUF, rejected_in

PATH = "/v1/traces"

State = Literal["accepted", "refused", "failing", "unavailable"]

# The collector answered, but not about these bytes: wrong path or credentials, too slow, too busy.
NOT_ABOUT_THE_BODY = frozenset({401, 403, 404, 407, 408, 429})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Answer:
    """What a collector made of one request.

    Attributes:
        state: `accepted`; `refused` (these bytes will never be taken); `failing` (it broke over them, HTTP
            5xx); `unavailable` (no answer, too busy, or not a collector).
        reason: Why, in words for people; empty when accepted whole.
        rejected: Spans of an accepted request that the collector threw away (partial success).
    """

    state: State
    reason: str = ""
    rejected: int = 0


def traces_url(endpoint: str) -> str:
    """The URL for traces below the base `endpoint`; one that ends with the path already stays."""
    base = endpoint.rstrip("/")
    return base if base.endswith(PATH) else base + PATH


def environment_url() -> str | None:
    """The URL for traces that the usual `OTEL_EXPORTER_OTLP_*` variables name, or None.

    Only OTLP over HTTP is spoken here: a URL meant for gRPC is not used, so its spans go to the spool.
    """
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol == "grpc":
        return None
    exact = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if exact:
        return exact
    base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    return traces_url(base) if base else None


def post(url: str, body: bytes, *, content_type: str = PROTOBUF, timeout_s: float = 1.0) -> Answer:
    """Send one `ExportTraceServiceRequest` and say what became of it; no network failure raises."""
    import requests

    with requests.Session() as session:
        # A proxy of the environment is for the world outside; it cannot know this machine's loopback.
        session.trust_env = urlsplit(f"//{place(url)}").hostname not in LOOPBACK
        try:
            response = session.post(
                url,
                data=body,
                headers={**_headers(), "Content-Type": content_type},
                timeout=timeout_s,
                verify=os.environ.get("OTEL_EXPORTER_OTLP_CERTIFICATE") or True,
                allow_redirects=False,
            )
        except requests.Timeout:
            return Answer("unavailable", f"{place(url)} gave no answer within {timeout_s:g} s")
        except requests.ConnectionError:
            return Answer("unavailable", f"{place(url)} refused or lost the connection")
        except (requests.RequestException, OSError) as error:
            return Answer("unavailable", f"{place(url)} cannot be used: {type(error).__name__}")
    return _judged(url, response.status_code, response.content, content_type)


def place(url: str) -> str:
    """Host and port of `url`, without any credentials that it may carry."""
    try:
        netloc = urlsplit(url).netloc
    except ValueError:
        netloc = ""
    return netloc.rpartition("@")[2] or "?"


def _judged(url: str, status: int, content: bytes, content_type: str) -> Answer:
    reason = f"{place(url)} answered HTTP {status}"
    if 200 <= status < 300:  # noqa: PLR2004 - the HTTP class of success
        rejected = rejected_in(content_type, content)
        return Answer("accepted", f"{place(url)} threw {rejected} spans away" if rejected else "", rejected)
    if status in NOT_ABOUT_THE_BODY or status < 400:  # noqa: PLR2004 - below the HTTP class of client errors
        return Answer("unavailable", reason)
    if status >= 500:  # noqa: PLR2004 - the HTTP class of server errors
        return Answer("failing", reason)
    return Answer("refused", reason)


def _headers() -> dict[str, str]:
    """Headers of `OTEL_EXPORTER_OTLP_HEADERS` (`name=value,…`, URL-encoded), the traces' own ones on top."""
    found: dict[str, str] = {}
    for variable in ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"):
        for pair in os.environ.get(variable, "").split(","):
            name, sign, value = pair.partition("=")
            if sign and name.strip():
                found[name.strip()] = unquote(value.strip())
    return found
