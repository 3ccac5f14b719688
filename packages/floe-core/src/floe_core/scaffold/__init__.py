"""New products: what `floe init` makes."""

from __future__ import annotations

from floe_core.scaffold.create import create

__all__ = ["create"]
