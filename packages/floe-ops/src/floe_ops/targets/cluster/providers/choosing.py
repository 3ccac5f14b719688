"""Which cluster: the one in use, else the first that can be had of the current context, kind, and the bare one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError, UsageError

from floe_ops.targets.cluster import record
from floe_ops.targets.cluster.providers.bare import BareProvider
from floe_ops.targets.cluster.providers.context import NAMED, ContextProvider
from floe_ops.targets.cluster.providers.kind import KindProvider

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_ops.targets.cluster.layout import Layout
    from floe_ops.targets.cluster.providers.provider import Provider

FORCED = "FLOE_CLUSTER"
PROVIDERS: dict[str, type[Provider]] = {
    provider.name: provider for provider in (ContextProvider, KindProvider, BareProvider)
}


def named(name: str, layout: Layout, say: Callable[[str], None]) -> Provider:
    """The provider of that name.

    Raises:
        UsageError: There is none.
    """
    if name not in PROVIDERS:
        raise UsageError(
            f"there is no cluster of the kind {name!r}",
            where=FORCED,
            why=f"the kinds are: {', '.join(PROVIDERS)}",
            remedy=f"unset {FORCED}, or set it to one of them",
        )
    return PROVIDERS[name](layout, say)


def enforces_policies(layout: Layout) -> bool:
    """Whether NetworkPolicies are enforced in the cluster that is named, or in use; False where there is none."""
    before = record.load(layout)
    name = os.environ.get(FORCED) or (before.provider if before else "")
    return name in PROVIDERS and PROVIDERS[name].enforces_policies


def choose(layout: Layout, say: Callable[[str], None]) -> Provider:
    """The provider to use; says why each one before it was not taken.

    `FLOE_CLUSTER` forces one, `FLOE_KUBE_CONTEXT` the context that it names; else the cluster in use is kept.

    Raises:
        MissingToolError: None can be had.
        UsageError: FLOE_CLUSTER names none.
    """
    forced = os.environ.get(FORCED) or ("context" if os.environ.get(NAMED) else "")
    before = record.load(layout)
    wanted = forced or (before.provider if before else "")
    reasons: list[str] = []
    for name in [wanted] if wanted else list(PROVIDERS):
        provider = named(name, layout, say)
        why = provider.why_not()
        if not why:
            for reason in reasons:
                say(f"not {reason}")
            return provider
        reasons.append(f"{name}: {why}")
    raise MissingToolError(
        "there is no Kubernetes to install into",
        where=f"{FORCED}={forced}" if forced else "",
        why="; ".join(reasons),
        remedy="see `invoke platform.doctor --target cluster`; name a context with --context NAME, or install kind",
    )
