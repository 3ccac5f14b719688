"""Is a service ready: one answer that is right by value, for each service of the local platform."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import requests  # here and not where it is used: services are asked side by side, and imports are no thing for threads
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from floe_core.errors import FloeError

from floe_ops.clients.dagster import Dagster
from floe_ops.targets.local import dagster
from floe_ops.targets.local.ports import HOST
from floe_ops.targets.local.record import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_ops.targets.interface import Platform
    from floe_ops.targets.local.layout import Layout

ANSWER_S = 2.0
OK = 200
UNREACHABLE = "Could not reach user code server"


class NotYetError(Exception):
    """The service does not answer as it should, or not at all; the message says what was seen."""


class BrokenError(NotYetError):
    """The service is up and has loaded something that does not work: no wait will mend it."""


def probe(name: str, platform: Platform, layout: Layout) -> None:
    """Ask the service `name` (as in `services.toml`) whether it is ready.

    Raises:
        NotYetError: It is not.
    """
    if name == "s3":
        _volumes(layout)
    checks: dict[str, Callable[[Platform], None]] = {
        "s3": _object_store,
        "polaris": _catalog,
        "otel": _collector,
        "jaeger": _jaeger,
    }
    if name in checks:
        checks[name](platform)
    else:
        _dagster(name, platform)


def _object_store(platform: Platform) -> None:
    """A signed list of buckets; an unsigned request would prove nothing about the credentials."""
    url = platform.urls["s3"] + "/"
    request = AWSRequest(method="GET", url=url, headers={"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"})
    keys = Credentials(platform.secrets["s3-access-key"], platform.secrets["s3-secret-key"])
    SigV4Auth(keys, "s3", platform.region).add_auth(request)
    body = _get(url, dict(request.headers.items()))
    if "ListAllMyBucketsResult" not in body:
        raise NotYetError(f"{url} answers, but not with a list of buckets")


def _volumes(layout: Layout) -> None:
    """SeaweedFS's gateway lists buckets before its volumes are known, and until then can neither read nor write."""
    found = load(layout.record)
    if found is None or "s3" not in found.services:
        return  # a store that runs elsewhere
    url = f"http://{HOST}:{found.ports['weed-master']}/dir/status"
    there = len(list((layout.data / "s3").glob("*.dat")))
    topology = json.loads(_get(url))["Topology"]
    nodes = [
        node
        for center in topology["DataCenters"] or []
        for rack in center["Racks"] or []
        for node in rack["DataNodes"] or []
    ]
    known = sum(node["Volumes"] for node in nodes)
    if not nodes or known < there:
        raise NotYetError(f"{url}: {known} of {there} volumes are known to {len(nodes)} volume servers")


def _catalog(platform: Platform) -> None:
    _get(platform.urls["polaris-management"] + "/q/health/ready")


def _collector(platform: Platform) -> None:
    _get(platform.urls["otel-health"] + "/")


def _jaeger(platform: Platform) -> None:
    body = _get(platform.urls["jaeger-query"] + "/api/services")
    if '"data"' not in body:
        raise NotYetError("Jaeger answers, but not with a list of services")


def _dagster(name: str, platform: Platform) -> None:
    """The webserver answers, the daemons give signs of life, the workspace has loaded the code location."""
    client = Dagster(platform.urls["dagster"])
    try:
        if name == dagster.SERVICE:
            client.server_info()
        elif name == dagster.DAEMON:
            wrong = client.unhealthy_daemons()
            if wrong:
                raise NotYetError(", ".join(f"{daemon}: {why}" for daemon, why in wrong.items()))
        elif name != dagster.SWEEPER:
            _location(client, name.removeprefix(f"{dagster.SERVICE}-"))
    except FloeError as error:
        raise NotYetError(f"{error.where}: {error.what}: {error.why}") from None


def _location(client: Dagster, name: str) -> None:
    found = [one for one in client.locations() if one.name == name]
    if not found or found[0].is_loading:
        raise NotYetError(f"{client.url}: the code location {name} is not loaded yet")
    if UNREACHABLE in found[0].error:
        raise NotYetError(f"the server of the code location {name} does not answer yet")
    if found[0].error:
        raise BrokenError(f"it cannot be loaded: {found[0].cause[:600]}")


def _get(url: str, headers: dict[str, str] | None = None) -> str:
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy for the outside has nothing to say about loopback
            answer = session.get(url, headers=headers, timeout=ANSWER_S, allow_redirects=False)
    except requests.ConnectionError:
        raise NotYetError(f"{url}: no connection") from None
    except requests.Timeout:
        raise NotYetError(f"{url}: no answer within {ANSWER_S:g} s") from None
    except requests.RequestException as error:
        raise NotYetError(f"{url}: {type(error).__name__}") from None
    if answer.status_code != OK:
        raise NotYetError(f"{url}: status {answer.status_code}, expected {OK}")
    return answer.text
