"""The health of the release that the target uses, looked at once before others rely on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_ops import release
from floe_ops.clients import helm
from floe_ops.targets.cluster import record

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_ops.targets.cluster.layout import Layout

DEADLINE_S = 90.0  # the first test waits for it, and has two minutes


def ensure(layout: Layout, tell: Callable[[str], None] = lambda _line: None) -> release.Outcome | None:
    """Bring a stuck release back to its newest good revision; None where no cluster is in use.

    In a cluster that was made here nobody outside of this checkout is at work, and those inside hold the release's
    lock: what is pending there is stuck. Elsewhere a Helm at work is given the time that Helm itself waits.

    Raises:
        CannotHealError: There is nothing good to go back to; its remedy names the release and what to do.
        NotReadyError: It did not become healthy in time.
        FloeError: There is no Helm, no cluster, or Helm failed.
    """
    found = record.load(layout)
    if found is None:
        return None
    chosen = found.settings
    place = helm.Place(chosen.namespace, found.access.kubeconfig, found.access.context)
    patience = 0.0 if found.made_cluster else helm.CHANGE_S
    return release.heal(helm.choose(place), chosen.release, release.Terms(patience, DEADLINE_S), tell=tell)
