"""Data products: built in a lane, held to their planted truths, read back by engines that did not build them."""

from __future__ import annotations

from floe_ops.products.build import Ask, build_product
from floe_ops.products.result import BuildResult

__all__ = ["Ask", "BuildResult", "build_product"]
