"""Which cluster a release is looked for in: one that is in use or was named, never one that nobody meant."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError, UsageError

from floe_ops import project
from floe_ops.clients.helm import Place
from floe_ops.targets.cluster import record
from floe_ops.targets.cluster.layout import Layout
from floe_ops.targets.cluster.providers.context import NAMED, ContextProvider

if TYPE_CHECKING:
    from collections.abc import Callable


def find(release: str, namespace: str, tell: Callable[[str], None]) -> Place:
    """Where the release is; says so in one line before anything is done or asked.

    The context that FLOE_KUBE_CONTEXT names, else the cluster in use, else the current context under the terms of
    `platform.up`: at a terminal it is asked for, elsewhere it has to be named.

    Args:
        release: Its name.
        namespace: The namespace it is in.
        tell: Takes the line that says which cluster is meant.

    Raises:
        MissingToolError: No cluster is in use, and there is no context.
        UsageError: The current context is all there is, and nobody said that it is meant.
    """
    layout = Layout(project.state())
    before = record.load(layout)
    if before is not None and not os.environ.get(NAMED):
        tell(f"{release} in {namespace}: context {before.context} of the cluster in use ({before.provider})")
        return Place(namespace, before.access.kubeconfig, before.context)
    provider = ContextProvider(layout, tell)
    why_not = provider.why_not()
    if why_not:
        raise MissingToolError(
            "there is no cluster to look for the release in",
            where=f"{release} in {namespace}",
            why=f"none is in use, and {why_not}",
            remedy="`invoke platform.up --target cluster` brings one up; or set KUBECONFIG and name a --context NAME",
        )
    tell(f"{release} in {namespace}: context {provider.context} of {provider.kubeconfig}")
    try:
        access = provider.up("")
    except UsageError as error:  # its remedy names other kinds of cluster, which are made by `platform.up` only
        remedy = f"name it: --context {provider.context} ({NAMED})"
        raise UsageError(error.what, where=error.where, why=error.why, remedy=remedy) from None
    return Place(namespace, access.kubeconfig, access.context)
