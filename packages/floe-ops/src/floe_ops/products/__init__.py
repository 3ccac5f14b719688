"""Data products: built in a lane, held to their planted truths, published as Iceberg tables."""

from __future__ import annotations

from floe_ops.products.build import build_product
from floe_ops.products.result import BuildResult

__all__ = ["BuildResult", "build_product"]
