"""A cluster of kind, Kubernetes in containers of a Docker engine, named `floe`."""

from __future__ import annotations

import shutil
import subprocess
from functools import cached_property
from typing import TYPE_CHECKING

from floe_ops.clients.kubernetes import Access
from floe_ops.targets.cluster.providers.programs import run
from floe_ops.targets.cluster.providers.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from floe_ops.targets.cluster.record import ProviderName

CLUSTER = "floe"
NODE = f"{CLUSTER}-control-plane"
CONTEXT = f"kind-{CLUSTER}"
ASK_S, CREATE_S, LOAD_S, DELETE_S = 15.0, 300.0, 300.0, 60.0


class KindProvider(Provider):
    """One node of kind; made, stopped, started again and deleted here."""

    name: ProviderName = "kind"
    makes = True
    loads = True
    enforces_policies = True  # its own network, kindnet, does since kind 0.24

    @property
    def access(self) -> Access:
        """By a kubeconfig of our own."""
        return Access(self.layout.kind, CONTEXT)

    def why_not(self) -> str:
        """A program is missing, or no engine answers."""
        missing = [program for program in ("kind", "docker") if shutil.which(program) is None]
        if missing:
            return f"{' and '.join(missing)} not on PATH"
        return self._engine

    @cached_property
    def _engine(self) -> str:
        """Why Docker's engine is of no use; empty when it answers."""
        words = ["docker", "version", "--format", "{{.Server.Version}}"]
        try:
            done = subprocess.run(  # noqa: S603 - our own words
                words, capture_output=True, text=True, timeout=ASK_S, check=False, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"docker does not answer: {type(error).__name__}"
        return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["docker failed"])[-1]

    def runs(self) -> bool:
        """The node's container runs."""
        return not self.why_not() and self._node() == "true"

    def up(self, _owner: str, /) -> Access:
        """Make the cluster, or start the container of one that was stopped; raises as `programs.run`."""
        state = self._node()
        self.layout.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kubeconfig = str(self.layout.kind)
        if not state:
            self._say("kind: making the cluster floe")
            words = ["kind", "create", "cluster", "--name", CLUSTER, "--kubeconfig", kubeconfig, "--wait", "120s"]
            run(words, CREATE_S, what="kind could not make a cluster")
        else:
            if state == "false":
                run(["docker", "start", NODE], ASK_S, what="the cluster of kind does not start")
            words = ["kind", "export", "kubeconfig", "--name", CLUSTER, "--kubeconfig", kubeconfig]
            run(words, ASK_S, what="kind does not say how to reach its cluster")
        self.layout.kind.chmod(0o600)
        return self.access

    def load(self, archives: Sequence[Path]) -> None:
        """Import each archive into the node."""
        for archive in archives:
            words = ["kind", "load", "image-archive", str(archive), "--name", CLUSTER]
            run(words, LOAD_S, what=f"kind does not take the image {archive.name}")

    def stop(self) -> None:
        """Stop the node's container; what it holds stays."""
        if self.runs():
            run(["docker", "stop", NODE], DELETE_S, what="the cluster of kind does not stop")

    def delete(self) -> None:
        """Delete the cluster."""
        if not self.why_not() and self._node():
            run(["kind", "delete", "cluster", "--name", CLUSTER], DELETE_S, what="kind could not delete its cluster")
        self.layout.kind.unlink(missing_ok=True)

    def _node(self) -> str:
        """`true` when the node's container runs, `false` when it is stopped, empty when there is none."""
        words = ["docker", "container", "ls", "--all", "--filter", f"name=^{NODE}$", "--format", "{{.State}}"]
        state = run(words, ASK_S, what="docker does not say which containers there are").strip()
        return "" if not state else str(state == "running").lower()
