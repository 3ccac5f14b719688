"""The reference pages of docs/reference, made from the code itself: what is written down cannot fall behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_ops.reference import chart, commands, errors, plugins, schemas

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PAGES: Mapping[str, Callable[[], str]] = {
    "product.md": schemas.product,
    "manifest.md": schemas.manifest,
    "plugins.md": plugins.page,
    "errors.md": errors.page,
    "cli.md": commands.page,
    "chart.md": chart.page,
}
"""Each page by its file's name, and what makes its text."""

__all__ = ["PAGES"]
