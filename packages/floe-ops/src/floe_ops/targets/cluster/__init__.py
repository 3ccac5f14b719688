"""The cluster target: the chart on a real Kubernetes, reached through forwards on this machine's loopback.

`target` is the front; `providers` say which cluster, `installing` puts the chart on it, `progress` and `diagnosis`
watch it, `forwards` and `keeper` make its endpoints answer here, and end with their owners.
"""

from __future__ import annotations

from floe_ops.targets.cluster.target import ClusterTarget

__all__ = ["ClusterTarget"]
