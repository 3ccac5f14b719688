"""The one question that is asked of a running Cube."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from floe_core.errors import UsageError
from floe_core.plugins import HealthState, HealthStatus


def ready(url: str, timeout_s: float) -> HealthStatus:
    """What `/readyz` of the server at `url` says.

    Raises:
        UsageError: `url` has no host.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError("Cube's address is no URL", where="plugins.semantic_layer.config.server_url")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=timeout_s)
    place = f"{parts.hostname}:{parts.port or ''}"
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/readyz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return HealthStatus(HealthState.UNHEALTHY, f"Cube at {place} does not answer: {type(error).__name__}")
    finally:
        connection.close()
    state = HealthState.HEALTHY if status == http.HTTPStatus.OK else HealthState.UNHEALTHY
    return HealthStatus(state, f"Cube at {place} answered {status}")
