"""What this machine has and lacks for the cluster target, and how to get it."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from floe_core.errors import FloeError

from floe_ops import project, toolchain
from floe_ops.clients import helm
from floe_ops.clients.kubernetes import Kubernetes
from floe_ops.targets.cluster import providers, record
from floe_ops.targets.cluster.providers.choosing import PROVIDERS
from floe_ops.targets.seen import Finding, State

if TYPE_CHECKING:
    from floe_ops.targets.cluster.layout import Layout
    from floe_ops.targets.cluster.settings import Settings

GB = 2**30
NEEDED_GB = 8.0  # images, their copies in the cluster, and what the pods write
OLDEST = (1, 30)


def examine(layout: Layout, settings: Settings) -> list[Finding]:
    """Look at everything that the target needs; changes nothing."""
    return [
        Finding("python", "ok", f"{sys.version.split()[0]} in {sys.prefix}"),
        _chart(settings),
        _helm(),
        *_providers(layout),
        _cluster(layout),
        _disk(),
    ]


def _chart(settings: Settings) -> Finding:
    if settings.profile.is_file():
        return Finding("chart", "ok", str(settings.chart))
    return Finding("chart", "missing", f"{settings.profile} is not there", "use a whole checkout")


def _helm() -> Finding:
    try:
        if shutil.which("helm") is None and not toolchain.is_built("helm"):
            return Finding("helm", "note", f"to be built: {toolchain.TOOLS['helm'].estimate}", "or install Helm 3.14+")
        found = helm.choose()
        return Finding("helm", "ok", f"{found.version.text} at {found.program}")
    except FloeError as error:
        return Finding("helm", "missing", f"{error.what}: {error.why}", error.remedy)


def _providers(layout: Layout) -> list[Finding]:
    """Each provider, in the order in which they are tried; missing only where none can be had."""
    why = {name: providers.named(name, layout, lambda _line: None).why_not() for name in PROVIDERS}
    remedies = {
        "context": "kubectl config use-context NAME, or --context NAME",
        "kind": "install Docker and kind",
        "bare": "run as root on Linux; `bare-cluster prepare` says what the machine lacks",
    }
    usual: State = "note" if any(not reason for reason in why.values()) else "missing"
    return [
        Finding(name, usual, reason, remedies[name]) if reason else Finding(name, "ok", "can be had")
        for name, reason in why.items()
    ]


def _cluster(layout: Layout) -> Finding:
    found = record.load(layout)
    if found is None:
        return Finding("cluster", "note", "none is in use; `invoke platform.up --target cluster` takes the first above")
    if found.made_cluster and not found.access.kubeconfig.is_file():
        return Finding("cluster", "note", f"{found.provider}: it is stopped; `invoke platform.up` starts it again")
    cluster = Kubernetes(found.access, request_s=5.0)
    try:
        version, nodes = cluster.version(), cluster.nodes()
    except FloeError as error:
        return Finding("cluster", "note", f"{found.provider}, context {found.context}: {error.what}: {error.why}")
    seen = f"{found.provider}, context {found.context}, {version}, {len(nodes)} node(s) at {cluster.url}"
    major, minor = (int(part) for part in version.removeprefix("v").split(".")[:2])
    if (major, minor) < OLDEST:
        return Finding("cluster", "missing", seen, "the chart needs Kubernetes 1.30 or newer")
    return Finding("cluster", "ok", seen)


def _disk() -> Finding:
    root = project.root()
    free = shutil.disk_usage(root).free / GB
    seen = f"{free:.1f} GB free at {root}, {NEEDED_GB:.1f} GB needed for images and volumes"
    return Finding("disk", "ok", seen) if free >= NEEDED_GB else Finding("disk", "missing", seen, "free some space")
