"""Storage locations: which holds which."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def holds(container: str, location: str) -> bool:
    """Whether a location is the container or lies below it; trailing slashes make no difference."""
    return f"{location.rstrip('/')}/".startswith(f"{container.rstrip('/')}/")


def overlap(first: str, second: str) -> bool:
    """Whether one of the two holds the other."""
    return holds(first, second) or holds(second, first)


def any_overlap(first: Iterable[str], second: Iterable[str]) -> bool:
    """Whether any location of one set overlaps any of the other."""
    others = list(second)
    return any(overlap(one, other) for one in first for other in others)
