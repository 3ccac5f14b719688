"""A cluster of kind, Kubernetes in containers of a Docker engine, named after the checkout."""

from __future__ import annotations

import hashlib
import shutil
from functools import cached_property
from typing import TYPE_CHECKING

from floe_core.errors import FloeError

from floe_ops.clients.kubernetes import Access
from floe_ops.targets.cluster.providers.programs import finish, run
from floe_ops.targets.cluster.providers.provider import Provider
from floe_ops.targets.local.layout import write_private

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from floe_ops.targets.cluster.record import ProviderName

LETTERS = 8  # of the digest of the checkout's path
ASK_S, CREATE_S, LOAD_S, DELETE_S = 15.0, 300.0, 300.0, 60.0


class KindProvider(Provider):
    """One node of kind; made, stopped, started again and deleted here.

    A cluster of the checkout's name that was not made here is used, and never deleted.
    """

    name: ProviderName = "kind"
    loads = True
    enforces_policies = True  # its own network, kindnet, does since kind 0.24

    @cached_property
    def cluster(self) -> str:
        """The cluster's name: of the one that was made here, though the checkout was moved since, else the checkout's.

        That is `floe-` and a part of the SHA-256 of its path: two checkouts have a cluster each.
        """
        return (
            self._made
            or f"floe-{hashlib.sha256(str(self.layout.state.parent.resolve()).encode()).hexdigest()[:LETTERS]}"
        )

    @property
    def makes(self) -> bool:
        """It was made here, or there is none yet."""
        return bool(self._made) or (not self.why_not() and not self._state())

    @property
    def access(self) -> Access:
        """By a kubeconfig of our own."""
        return Access(self.layout.kind, f"kind-{self.cluster}")

    @property
    def _made(self) -> str:
        """The name of the cluster that was made here; empty when there is none."""
        try:
            return self.layout.kind_made.read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            return ""

    @property
    def _node(self) -> str:
        return f"{self.cluster}-control-plane"

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
            done = finish(words, ASK_S, what="docker does not answer")
        except FloeError as error:
            return f"{error.what}: {error.why}"
        return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["docker failed"])[-1]

    def runs(self) -> bool:
        """The node's container runs."""
        return not self.why_not() and self._state() == "true"

    def up(self, _owner: str, /) -> Access:
        """Make the cluster, or start the container of one that was stopped; raises as `programs.run`."""
        state = self._state()
        self.layout.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not state:
            self._make()
        else:
            if not self._made:
                self._say(f"kind: the cluster {self.cluster} was not made here: it is used, and never deleted")
            if state == "false":
                run(["docker", "start", self._node], ASK_S, what="the cluster of kind does not start")
            words = ["kind", "export", "kubeconfig", "--name", self.cluster, "--kubeconfig", str(self.layout.kind)]
            run(words, ASK_S, what="kind does not say how to reach its cluster")
        self.layout.kind.chmod(0o600)
        return self.access

    def _make(self) -> None:
        """Make the cluster; one that does not come about whole is deleted, whatever ended it."""
        self._say(f"kind: making the cluster {self.cluster}")
        write_private(self.layout.kind_made, self.cluster)
        place = ["--name", self.cluster, "--kubeconfig", str(self.layout.kind)]
        try:
            run(["kind", "create", "cluster", *place, "--wait", "120s"], CREATE_S, what="kind could not make a cluster")
        except BaseException:
            try:
                self._delete()
            except FloeError as error:
                self._say(f"a half-made cluster {self.cluster} stays, `invoke platform.reset` deletes it: {error.why}")
            raise

    def load(self, archives: Sequence[Path]) -> None:
        """Import each archive into the node."""
        for archive in archives:
            words = ["kind", "load", "image-archive", str(archive), "--name", self.cluster]
            run(words, LOAD_S, what=f"kind does not take the image {archive.name}")

    def stop(self) -> None:
        """Stop the node's container; what it holds stays."""
        if self.runs():
            run(["docker", "stop", self._node], DELETE_S, what="the cluster of kind does not stop")

    def delete(self) -> None:
        """Delete the cluster, if it was made here."""
        why = self.why_not()
        if why:
            self._say(f"the cluster {self.cluster} of kind is not deleted: {why}")
        elif self._made:
            self._delete()
        elif self._state():
            self._say(f"the cluster {self.cluster} of kind was not made here and stays")

    def _delete(self) -> None:
        run(["kind", "delete", "cluster", "--name", self.cluster], DELETE_S, what="kind could not delete its cluster")
        self.layout.kind_made.unlink(missing_ok=True)
        self.layout.kind.unlink(missing_ok=True)

    def _state(self) -> str:
        """`true` when the node's container runs, `false` when it is stopped, empty when there is none."""
        words = ["docker", "container", "ls", "--all", "--filter", f"name=^{self._node}$", "--format", "{{.State}}"]
        state = run(words, ASK_S, what="docker does not say which containers there are").strip()
        return "" if not state else str(state == "running").lower()
