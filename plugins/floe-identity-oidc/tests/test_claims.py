"""Roles, wherever an issuer puts them."""

from __future__ import annotations

from typing import Any

import pytest
from floe_identity_oidc.claims import UnreadableError, at, roles


@pytest.mark.parametrize(
    ("claims", "path", "expected"),
    [
        ({"realm_access": {"roles": ["admin", "data"]}}, "realm_access.roles", {"admin", "data"}),
        ({"groups": ["data", "data"]}, "groups", {"data"}),
        ({"scope": "openid  catalog:read\tx"}, "scope", {"openid", "catalog:read", "x"}),
        ({"https://example.org/roles": ["data"]}, "https://example.org/roles", {"data"}),
        ({"a.b": ["whole"], "a": {"b": ["nested"]}}, "a.b", {"whole"}),
        ({"groups": None}, "groups", set()),
        ({"groups": []}, "groups", set()),
        ({"realm_access": ["roles"]}, "realm_access.roles", set()),
        ({}, "realm_access.roles", set()),
    ],
)
def test_roles(claims: dict[str, Any], path: str, expected: set[str]) -> None:
    assert roles(claims, path) == expected


@pytest.mark.parametrize("found", [{"data": True}, 7, True, ["data", None], [["data"]]])
def test_what_holds_no_names_is_told(found: object) -> None:
    with pytest.raises(UnreadableError):
        roles({"groups": found}, "groups")


def test_a_path_ends_where_there_is_nothing() -> None:
    assert at({"a": {"b": {"c": 0}}}, "a.b.c") == 0
    assert at({"a": {"b": 1}}, "a.b.c") is None
    assert at({}, "") is None
