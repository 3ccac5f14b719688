"""How tables and columns are named in messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def dotted(parts: Iterable[str]) -> str:
    """`("customer_360", "marts", "orders")` as people write it: `customer_360.marts.orders`."""
    return ".".join(parts)
