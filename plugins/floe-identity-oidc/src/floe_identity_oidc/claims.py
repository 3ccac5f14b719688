"""Claims by path: the roles, and what else a platform requires."""

from __future__ import annotations

from typing import Any


class UnreadableError(ValueError):
    """A claim is there, but of a form that holds no names."""


def at(claims: dict[str, Any], path: str) -> Any:
    """The claim at `path`; None where there is none.

    A claim with that whole name comes first, because names such as `https://example.org/roles` hold dots themselves.
    """
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found


def roles(claims: dict[str, Any], path: str) -> frozenset[str]:
    """The names at `path`: a list of texts, or one text with blanks between them; empty where there is no such claim.

    Raises:
        UnreadableError: Something else is there.
    """
    found = at(claims, path)
    if found is None:
        return frozenset()
    if isinstance(found, str):
        return frozenset(found.split())
    if isinstance(found, list) and all(isinstance(one, str) for one in found):
        return frozenset(found)
    raise UnreadableError(path)
