"""A real Kubernetes API server for machines without a cluster: `with api_server(folder) as server: …`."""

from __future__ import annotations

from floe_ops.kube_api.server import ApiServer, api_server

__all__ = ["ApiServer", "api_server"]
