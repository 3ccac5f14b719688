"""Where the platform runs: one interface, a local and a cluster target behind it."""

from __future__ import annotations

from floe_ops.targets.interface import Platform, Target, current

__all__ = ["Platform", "Target", "current"]
