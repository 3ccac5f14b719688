"""What the management API's request bodies have in common.

Polaris takes a body with or without its wrapper (`{"principalRole": {"name": …}}` or `{"name": …}`), ignores
unknown fields, answers an empty 400 to what does not fit the model and meets a null pointer without a body.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from polaris_standin.errors import (
    already_exists,
    commit_conflict,
    empty_400,
    not_found,
    null_pointer,
    violation,
)
from polaris_standin.store import ROOT_CONTAINER

if TYPE_CHECKING:
    from polaris_standin.errors import ApiError
    from polaris_standin.store import Entity, Kind, Store
    from polaris_standin.wire import Call

_MODEL = "org.apache.polaris.core.admin.model"
_LONGEST_NAME = 256
_RESERVED = re.compile(r"\s*[sS][yY][sS][tT][eE][mM]\$")
# The text of the constraint as the server reports it, class brackets and all.
_NAME_RULE = 'must match "^(?!\\s*[s|S][y|Y][s|S][t|T][e|E][m|M]\\$).*$"'


def read(call: Call, request: str, getter: str) -> dict[str, Any]:
    """The body as an object.

    Args:
        call: The request.
        request: Name of Polaris's request class, for the text of the null pointer.
        getter: Its method that is called first.

    Raises:
        WireError: 400 for no object, 500 for no body.
    """
    body = call.json()
    if body is None:
        raise null_pointer(f'Cannot invoke "{_MODEL}.{request}.{getter}()" because "request" is null')
    if not isinstance(body, dict):
        raise empty_400()
    return body


def unwrap(body: dict[str, Any], wrapper: str) -> dict[str, Any]:
    """The inner object, or the body itself where the wrapper was left out.

    Raises:
        WireError: 400, the wrapper holds no object.
    """
    inner = body.get(wrapper, body)
    if not isinstance(inner, dict):
        raise empty_400()
    return inner


def check_name(name: str, field: str) -> None:
    """Hold a name against Polaris's rules.

    Raises:
        ApiError: 400, too short, too long, or reserved.
    """
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise violation(field, f"size must be between 1 and {_LONGEST_NAME}")
    if _RESERVED.match(name):
        raise violation(field, _NAME_RULE)


def required_name(inner: dict[str, Any], field: str) -> str:
    """The name of a principal or role; without one the body does not fit the model.

    Raises:
        WireError: 400.
    """
    name = inner.get("name")
    if not isinstance(name, str):
        raise empty_400()
    check_name(name, field)
    return name


def string_map(value: Any) -> dict[str, str]:
    """Properties; null is none.

    Raises:
        WireError: 400, no object of strings.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise empty_400()
    return {str(key): str(item) for key, item in value.items() if item is not None}


def check_version(body: dict[str, Any], entity: Entity, label: str) -> None:
    """Optimistic locking of updates.

    Raises:
        ApiError: 500 without a version (a null pointer), 409 with another one than the current.
    """
    expected = body.get("currentEntityVersion")
    if not isinstance(expected, int):
        call = f"{_MODEL}.Update{label}Request.getCurrentEntityVersion()"
        raise null_pointer(f'Cannot invoke "java.lang.Integer.intValue()" because the return value of "{call}" is null')
    if expected != entity.version:
        raise commit_conflict(
            f"Failed to update {label}; currentEntityVersion '{entity.version}', expected '{expected}'"
        )


def top_level(store: Store, kind: Kind, name: str) -> Entity:
    """A catalog, principal or principal role by name.

    Raises:
        ApiError: 404.
    """
    entity = store.find(kind, ROOT_CONTAINER, name)
    if entity is None:
        raise not_found(f"TopLevelEntity of type {kind} does not exist: {name}")
    return entity


def times(entity: Entity) -> dict[str, int]:
    """The fields that every entity's representation ends with."""
    return {
        "createTimestamp": entity.created,
        "lastUpdateTimestamp": entity.updated,
        "entityVersion": entity.version,
    }


def taken(label: str, name: str, container: str = "") -> ApiError:
    """409 for a name that is in use."""
    where = f" in {container}" if container else ""
    return already_exists(f"Cannot create {label} {name}{where}. {label} already exists or resolution failed")
