"""`GET /v1/config`: the prefix of a warehouse and the endpoints of the server."""

from __future__ import annotations

from polaris_standin.errors import not_found, refused
from polaris_standin.management.catalogs import BASE_LOCATION
from polaris_standin.store import ROOT_CONTAINER, Kind
from polaris_standin.wire import Answer, Call

_NAMESPACES = "/v1/{prefix}/namespaces"
_NAMESPACE = f"{_NAMESPACES}/{{namespace}}"
_TABLES = f"{_NAMESPACE}/tables"
_TABLE = f"{_TABLES}/{{table}}"
_VIEWS = f"{_NAMESPACE}/views"
_VIEW = f"{_VIEWS}/{{view}}"
# Without a leading slash: so the server announces them.
_GENERIC_TABLES = f"polaris{_NAMESPACE}/generic-tables"
_POLICIES = f"/polaris{_NAMESPACE}/policies"
_POLICY = f"{_POLICIES}/{{policy-name}}"

ENDPOINTS = (
    *(f"{method} {_NAMESPACES}" for method in ("GET", "POST")),
    *(f"{method} {_NAMESPACE}" for method in ("GET", "HEAD", "DELETE")),
    f"POST {_NAMESPACE}/properties",
    *(f"{method} {_TABLES}" for method in ("GET", "POST")),
    *(f"{method} {_TABLE}" for method in ("GET", "HEAD", "POST", "DELETE")),
    "POST /v1/{prefix}/tables/rename",
    f"POST {_NAMESPACE}/register",
    f"POST {_TABLE}/metrics",
    "POST /v1/{prefix}/transactions/commit",
    *(f"{method} {_VIEWS}" for method in ("GET", "POST")),
    *(f"{method} {_VIEW}" for method in ("GET", "HEAD", "POST", "DELETE")),
    "POST /v1/{prefix}/views/rename",
    *(f"{method} {_GENERIC_TABLES}" for method in ("GET", "POST")),
    *(f"{method} {_GENERIC_TABLES}/{{generic-table}}" for method in ("DELETE", "GET")),
    *(f"{method} {_POLICIES}" for method in ("GET", "POST")),
    *(f"{method} {_POLICY}" for method in ("GET", "PUT", "DELETE")),
    *(f"{method} {_POLICY}/mappings" for method in ("PUT", "POST")),
    "GET /polaris/v1/{prefix}/applicable-policies",
)
"""What Polaris 1.4.1 announces; the stand-in keeps no views, generic tables or policies."""


def config(call: Call) -> Answer:
    """Any principal may ask, with or without roles.

    Raises:
        ApiError: 400 without a warehouse, 404 for an unknown one.
    """
    warehouse = call.query.get("warehouse")
    if not warehouse:
        raise refused("Please specify a warehouse")
    catalog = call.service.store.find(Kind.CATALOG, ROOT_CONTAINER, warehouse)
    if catalog is None:
        raise not_found(f"Unable to find warehouse {warehouse}")
    base = catalog.body["properties"][BASE_LOCATION]
    body = {
        "defaults": {BASE_LOCATION: base},
        "overrides": {"prefix": catalog.name},
        "endpoints": list(ENDPOINTS),
    }
    return Answer(200, body)
