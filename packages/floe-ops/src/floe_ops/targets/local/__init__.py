"""The local target: the platform as real processes on this machine, with no container engine.

`target` is the front; `starting` brings it up, `programs` says what runs, `supervisor` keeps it running, `lease` and
`watcher` end it with its owners.
"""

from __future__ import annotations

from floe_ops.targets.local.target import LocalTarget

__all__ = ["LocalTarget"]
