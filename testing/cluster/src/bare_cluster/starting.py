"""Bring a cluster up: join the one that runs, replace one that half runs, start one where none is."""

from __future__ import annotations

import os
import subprocess  # nosec B404 - starting the guardian
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from floe_core.errors import MissingToolError, NotReadyError, UsageError, WrongStateError
from floe_ops.targets import lease
from floe_ops.targets.local.layout import write_private
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

from bare_cluster import (
    addons,
    asking,
    condition,
    configs,
    ending,
    images,
    keys,
    machine,
    network,
    plan,
    readiness,
    settings,
)
from bare_cluster.condition import State
from bare_cluster.node import ENVIRONMENT
from bare_cluster.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bare_cluster.condition import Condition
    from bare_cluster.layout import Layout
    from bare_cluster.processes import Process
    from bare_cluster.progress import Stages

LOCK_S = 180
PROCESS_S = 10
API_S = 60
CONTAINERD_S = 20
READY_S = 90


@dataclass(frozen=True)
class Wish:
    """What is asked of a cluster.

    Attributes:
        program: All of Kubernetes in one file.
        archives: The images that it is made of, and any others to be there.
        cpus: That pods may request in all.
        memory_gib: Likewise.
        owner: Whose process id it is to end with; `desk` for one that stays.
    """

    program: Path
    archives: Sequence[Path]
    cpus: float
    memory_gib: float
    owner: str = lease.DESK


def up(layout: Layout, wish: Wish, stages: Stages) -> Settings:
    """Have the cluster running and ready; returns what it was made with.

    Raises:
        FloeError: It cannot be; what was started stays to be looked at, and the next call replaces it.
    """
    references = _addon_references(wish.archives)
    with locked(layout):
        found = condition.look(layout)
        if found.state in {State.ABSENT, State.DAMAGED}:
            found = _start(layout, wish, references["pause"], found, stages)
        else:
            _refuse_other_wishes(layout, wish, found)
            lease.add(layout.owners, wish.owner)
        _make_ready(layout, found, wish, references, stages)
    return _whole(found)[1]


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Nobody else starts, heals or ends the cluster meanwhile.

    Raises:
        NotReadyError: Somebody else has been at it for minutes.
    """
    layout.lock.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(layout.lock)
    try:
        lock.acquire(timeout=LOCK_S)
    except Timeout:
        raise NotReadyError(
            "another call is starting or ending this cluster",
            where=str(layout.lock),
            why=f"it has been at it for more than {LOCK_S} s",
            remedy="wait for it, or end it",
        ) from None
    try:
        yield
    finally:
        lock.release()


def _addon_references(archives: Sequence[Path]) -> dict[str, str]:
    found = {image.name: image.reference for archive in archives for image in images.held(archive)}
    missing = [name for name in images.ADDONS if name not in found]
    if missing:
        raise UsageError(
            "images that a cluster is made of are not among the archives",
            where=", ".join(str(archive) for archive in archives) or "no archive",
            why=f"missing: {', '.join(missing)}",
            remedy="leave out --images to have them made, or add their archives to that folder",
        )
    return found


def _refuse_other_wishes(layout: Layout, wish: Wish, found: Condition) -> None:
    chosen = _whole(found)[1]
    if (chosen.cpus, chosen.memory_gib) != (wish.cpus, wish.memory_gib):
        raise WrongStateError(
            "the cluster runs with other settings",
            where=str(layout.state),
            why=f"it has {chosen.cpus:g} CPUs and {chosen.memory_gib:g} GiB, "
            f"and {wish.cpus:g} and {wish.memory_gib:g} are asked for",
            remedy="`bare-cluster down` first, ask for the same, or name another --state",
        )


def _start(layout: Layout, wish: Wish, pause: str, found: Condition, stages: Stages) -> Condition:
    machine.check(layout.state, makes_images=False)  # its room is looked at once what was left of it is no obstacle
    with stages.stage("a new node" if found.state is State.ABSENT else f"a new node ({found.why})"):
        ending.end(layout)
        layout.make()
        chosen = _choose(layout, wish, pause, found.settings)
        settings.write(layout, chosen)
        own = keys.ensure(layout.pki, chosen.network)
        write_private(layout.kubeconfig, keys.kubeconfig(chosen.network.url, own, keys.ADMIN))
        configs.write(layout, chosen, configs.this_machine(machine.cni_programs(), may_raise=machine.may_raise()))
        plan.write(layout.plan, plan.make(chosen))
        lease.add(layout.owners, wish.owner)
        _launch(layout)
        return _until_it_lives(layout)


def _choose(layout: Layout, wish: Wish, pause: str, kept: Settings | None) -> Settings:
    at = network.choose(layout.state, network.routes(), kept.slot if kept else None)
    return Settings(slot=at.slot, cpus=wish.cpus, memory_gib=wish.memory_gib, program=wish.program, pause=pause)


def _launch(layout: Layout) -> None:
    """Start the guardian, which leaves us at once."""
    with (layout.logs / "guardian.log").open("wb") as log:
        subprocess.run(  # noqa: S603  # nosec B603 - ourselves, no shell
            [sys.executable, "-m", "bare_cluster.guardian", str(layout.state)],
            cwd="/",
            env={**ENVIRONMENT, "TMPDIR": os.environ.get("TMPDIR", "/tmp")},  # noqa: S108 # nosec B108 - as the system names it
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=PROCESS_S,
            check=True,
        )


def _until_it_lives(layout: Layout) -> Condition:
    looking = Retrying(
        stop=stop_after_delay(PROCESS_S),
        wait=wait_exponential(multiplier=0.05, max=0.25),
        retry=retry_if_result(lambda found: not found.lives),
    )
    try:
        found: Condition = looking(lambda: condition.look(layout))
    except RetryError:
        raise NotReadyError(
            f"the cluster's first process did not start within {PROCESS_S} s",
            where=str(layout.state),
            why=f"the guardian's last words: {readiness.said(layout, 'guardian')}",
            remedy="correct what it complains about and try again",
        ) from None
    return found


def _whole(found: Condition) -> tuple[Process, Settings]:
    if found.first is None or found.settings is None:
        raise MissingToolError("the cluster does not run", remedy="start it: `bare-cluster up`")
    return found.first, found.settings


def _make_ready(layout: Layout, found: Condition, wish: Wish, references: dict[str, str], stages: Stages) -> None:
    """Everything after the first process; each step does nothing where it was done before."""
    first, chosen = _whole(found)
    own = keys.NodeKeys(layout.pki)
    if not network.connected(chosen.network):
        network.connect(chosen.network, first.pid)
    with asking.api(chosen.network, own) as api:
        with stages.stage("images"):
            readiness.wait(layout, first, lambda: images.objection(first), CONTAINERD_S)
            images.load(first, wish.archives)  # while the API server starts
        with stages.stage("API server"):
            readiness.wait(layout, first, lambda: readiness.api_objection(api), API_S)
        with stages.stage("addons"):
            addons.apply(chosen, layout.kubeconfig, references)
        with stages.stage("node, addons and DNS ready"):
            readiness.wait(layout, first, lambda: readiness.objection(api, chosen, first.started), READY_S)
