"""Who provides the cluster: the current context, kind, or the bare cluster of this repository."""

from __future__ import annotations

from floe_ops.targets.cluster.providers.choosing import choose, named
from floe_ops.targets.cluster.providers.provider import Provider

__all__ = ["Provider", "choose", "named"]
