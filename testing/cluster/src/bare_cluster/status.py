"""What `bare-cluster status` tells, and as which exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from floe_core.errors import ExitCode
from floe_ops.targets import lease

from bare_cluster import asking, condition, keys, readiness
from bare_cluster.condition import State

if TYPE_CHECKING:
    from bare_cluster.condition import Condition
    from bare_cluster.layout import Layout


def report(layout: Layout) -> dict[str, Any]:
    """The cluster as plain values, for `--json`."""
    found = condition.look(layout)
    told: dict[str, Any] = {
        "state": str(found.state),
        "why": found.why or _objection(layout, found),
        "ready": False,
        "folder": str(layout.state),
        "kubeconfig": str(layout.kubeconfig) if found.lives else None,
        "owners": sorted(lease.living(layout.owners)),
        "daemons": [
            {"name": each.name, "runs": each.code is None, "code": each.code}
            for each in (found.daemons.daemons if found.lives and found.daemons else ())
        ],
    }
    told["ready"] = found.state is State.RUNNING and not told["why"]
    if found.settings is not None:
        told |= {
            "url": found.settings.network.url,
            "networks": [str(each) for each in found.settings.network.all],
            "cpus": found.settings.cpus,
            "memory_gib": found.settings.memory_gib,
        }
    return told


def _objection(layout: Layout, found: Condition) -> str:
    """What keeps a cluster whose daemons all run from being ready."""
    if found.state is not State.RUNNING or found.settings is None or found.first is None:
        return ""
    with asking.api(found.settings.network, keys.NodeKeys(layout.pki)) as api:
        return readiness.objection(api, found.settings, found.first.started)


def exit_code(told: dict[str, Any]) -> ExitCode:
    """0 ready, 4 damaged, 5 not there, 6 not ready yet."""
    if told["ready"]:
        return ExitCode.OK
    codes = {State.ABSENT: ExitCode.MISSING, State.DAMAGED: ExitCode.WRONG}
    return codes.get(State(told["state"]), ExitCode.TIMEOUT)


def words(told: dict[str, Any]) -> str:
    """The same for people."""
    head = f"{told['state']}{' and ready' if told['ready'] else ''}{': ' + told['why'] if told['why'] else ''}"
    lines = [head]
    if told["kubeconfig"]:
        lines += [
            f"  kubeconfig  {told['kubeconfig']}",
            f"  API server  {told['url']}",
            f"  node        {told['cpus']:g} CPUs and {told['memory_gib']:g} GiB for pods",
            f"  owners      {', '.join(told['owners']) or 'none'}",
        ]
    lines += [_daemon(each) for each in told["daemons"]]
    return "\n".join(lines)


def _daemon(told: dict[str, Any]) -> str:
    return f"  ✓ {told['name']}" if told["runs"] else f"  ✗ {told['name']} ended with code {told['code']}"
