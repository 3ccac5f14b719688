"""Views: there are none here, and asking for them says so."""

from __future__ import annotations

from polaris_standin.access import require
from polaris_standin.errors import ApiError
from polaris_standin.iceberg.places import namespace
from polaris_standin.wire import Answer, Call


def list_all(call: Call) -> Answer:
    """The views of a namespace: none."""
    here = namespace(call)
    require(call.service.store, call.caller, "LIST_VIEWS", here.entity)
    return Answer(200, {"identifiers": [], "next-page-token": None})


def missing(call: Call) -> Answer:
    """Load, look for, or drop a view.

    Raises:
        ApiError: 404, always.
    """
    here = namespace(call)
    require(call.service.store, call.caller, "LIST_VIEWS", here.entity)
    raise ApiError(404, "NoSuchViewException", f"View does not exist: {here.identifier(call.path['view'])}")


def unsupported(_: Call) -> Answer:
    """Create a view.

    Raises:
        ApiError: 406, always.
    """
    raise ApiError(406, "UnsupportedOperationException", "The stand-in for Polaris keeps no views")
