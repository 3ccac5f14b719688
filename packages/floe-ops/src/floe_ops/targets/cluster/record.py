"""Which cluster is in use and what of it was made here: one JSON file, no secrets in it.

Only what the record says was made here is ever deleted.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from floe_ops.clients.kubernetes import Access
from floe_ops.targets.cluster.settings import Settings, settings
from floe_ops.targets.local.layout import write_private

if TYPE_CHECKING:
    from floe_ops.targets.cluster.layout import Layout
    from floe_ops.targets.interface import CatalogKind

ProviderName = Literal["context", "kind", "bare"]


@dataclass(frozen=True)
class Record:
    """One cluster.

    Attributes:
        provider: Who provides it.
        kubeconfig: The file that says how to reach it.
        context: The context in it.
        namespace: Where the release is.
        release: Its name.
        made_cluster: Whether the cluster was made here.
        made_namespace: Whether the namespace was made here.
        ends_with_owners: Whether it was started for a run, and stops when its last owner is gone.
        catalog_kind: Which server speaks Polaris's protocol in it; empty before the first install.
        server: Where its API answered when it was taken; empty before that.
    """

    provider: ProviderName
    kubeconfig: str
    context: str
    namespace: str
    release: str
    made_cluster: bool
    made_namespace: bool = False
    ends_with_owners: bool = False
    catalog_kind: CatalogKind | Literal[""] = ""
    server: str = ""

    @property
    def access(self) -> Access:
        """How to reach it."""
        return Access(Path(self.kubeconfig), self.context)

    @property
    def settings(self) -> Settings:
        """The release that was installed, whatever the environment names by now."""
        return replace(settings(), release=self.release, namespace=self.namespace)

    def is_in_cluster_of(self, other: Record) -> bool:
        """Whether both are about one cluster, as far as the record tells."""
        mine, its = ((one.provider, one.kubeconfig, one.context) for one in (self, other))
        return mine == its

    def is_release_of(self, other: Record) -> bool:
        """Whether both are about one release in one cluster."""
        return self.is_in_cluster_of(other) and (self.namespace, self.release) == (other.namespace, other.release)

    def save(self, layout: Layout) -> None:
        """Write it, whole or not at all."""
        layout.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(layout.record, json.dumps(asdict(self), indent=1))


def load(layout: Layout) -> Record | None:
    """The record; None when it is missing or damaged."""
    try:
        return Record(**json.loads(layout.record.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
