"""End a cluster and remove what it leaves on the machine; its data stays unless it is to be wiped."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from floe_core.errors import NotReadyError, WrongStateError
from floe_ops.targets import lease
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

from bare_cluster import cgroups, condition, network, processes, settings

if TYPE_CHECKING:
    from bare_cluster.layout import Layout
    from bare_cluster.settings import Settings

END_S = 20


def end(layout: Layout, *, wipe: bool = False) -> None:
    """End every process, then remove link, control groups and the files of the start. The caller holds the lock.

    Args:
        layout: Of the cluster, which need not run.
        wipe: Delete its data too: objects, volumes, images.

    Raises:
        NotReadyError: It does not end.
    """
    first, ran = processes.first(layout), layout.run.exists()
    if first is not None:
        first.kill()  # the kernel kills all others in its namespaces, and the guardian ends with it
    _wait(layout)
    known = _known(layout, wipe=wipe)
    if known is not None and ran:  # after an orderly end its addresses may be another cluster's
        network.disconnect(known.network)
    cgroups.remove(processes.groups(layout))
    shutil.rmtree(layout.run, ignore_errors=True)
    layout.kubeconfig.unlink(missing_ok=True)
    if wipe:
        shutil.rmtree(layout.state, ignore_errors=True)


def forget_owners(layout: Layout) -> None:
    """Nobody owns the cluster any more: it was ended on purpose."""
    lease.clear(layout.owners)


def _known(layout: Layout, *, wipe: bool) -> Settings | None:
    """Its settings; a file that nobody can read stops no one from deleting it."""
    try:
        return settings.read(layout)
    except WrongStateError:
        if wipe:
            return None
        raise


def _wait(layout: Layout) -> None:
    first = processes.first(layout)
    looking = Retrying(
        stop=stop_after_delay(END_S), wait=wait_exponential(multiplier=0.05, max=0.25), retry=retry_if_result(bool)
    )
    try:
        looking(lambda: (first is not None and first.lives) or condition.guarded(layout))
    except RetryError:
        raise NotReadyError(
            f"the cluster does not end within {END_S} s",
            where=str(layout.state),
            why=f"process {first.pid if first else '?'} or its guardian still lives after SIGKILL",
            remedy=f"look what it waits for (a file system that hangs?), and at {layout.logs / 'guardian.log'}",
        ) from None
