"""Which release in which cluster: what forwards lead to, so that nobody is led to another one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from floe_ops.clients.kubernetes import Kubernetes
    from floe_ops.targets.cluster.record import Record


def identity(found: Record, cluster: Kubernetes) -> dict[str, str]:
    """The release, and the cluster as its kubeconfig describes it now; the cluster is not asked.

    A cluster that was made anew under its old name has another authority, a digest of the certificates that vouch for
    its server; that is empty where the system's own do.

    Raises:
        UsageError: The kubeconfig or its context is none.
    """
    certificates = cluster.api.configuration.ssl_ca_cert
    return {
        "kubeconfig": found.kubeconfig,
        "context": found.context,
        "namespace": found.namespace,
        "release": found.release,
        "server": cluster.url,
        "authority": hashlib.sha256(Path(certificates).read_bytes()).hexdigest() if certificates else "",
    }
