"""A real Kubernetes API server for as long as a block runs: etcd and kube-apiserver, no node, no controller.

It stores, validates, admits and authorizes as any cluster of its release does. Nothing runs in it: a Pod stays
Pending, a Deployment makes none, a deleted namespace stays Terminating, and a new one has no default service account.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from filelock import FileLock, Timeout
from floe_core.telemetry import span

from floe_ops import toolchain
from floe_ops.kube_api import commands
from floe_ops.kube_api.certificates import HOST
from floe_ops.kube_api.commands import API, ETCD, ETCD_PEER, Keys
from floe_ops.kube_api.process import Daemon, PortTakenError, running
from floe_ops.targets.local import ports
from floe_ops.targets.local.layout import write_private

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

    from floe_ops.kube_api.certificates import Pair

READY_S = 60.0
ANSWER_S = 5.0
TRIES = 3
TOOL = "kubernetes"
SCRATCH, OWNED = "kube-api.", ".owned"


@dataclass(frozen=True)
class ApiServer:
    """A server that answers.

    Attributes:
        url: Where.
        ca: The certificate of the authority that signed the server's own.
        kubeconfig: For kubectl and Helm, as the administrator.
        pids: The process ids of etcd and the API server.
    """

    url: str
    ca: Path
    kubeconfig: Path
    pids: tuple[int, int]
    _admin: Pair

    def session(self, token: str | None = None) -> requests.Session:
        """A session that trusts the server: as the administrator, or as whom `token` says; close it after use."""
        import requests

        session = requests.Session()
        session.trust_env = False  # no proxy: it is on this machine
        session.verify = str(self.ca)
        if token is not None:
            session.headers["Authorization"] = f"Bearer {token}"
        else:
            session.cert = (str(self._admin.certificate), str(self._admin.key))
        return session


@contextmanager
def api_server(state: Path, program: Path | None = None) -> Iterator[ApiServer]:
    """Start one below the folder `state` and yield it once it is ready; with the block, all of it is gone.

    Args:
        state: Holds keys, data and logs in a folder of this start's own, which is removed at the end; that of a
            process that was killed is removed by the next start with the same `state`.
        program: The program of `toolchain/go/kubernetes`; built when none is given, which takes minutes once.

    Raises:
        MissingToolError: The program cannot be had.
        NotReadyError: It ended or did not become ready; its last words are told.
    """
    program = program or toolchain.ensure(TOOL)
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        for turn in range(TRIES):
            with ExitStack() as attempt:
                try:
                    found = _start(program, state, attempt)
                except PortTakenError:
                    if turn == TRIES - 1:
                        raise
                    continue
                stack.push(attempt.pop_all())
                break
        yield found


def _start(program: Path, state: Path, stack: ExitStack) -> ApiServer:
    """One attempt; whatever it started is left to `stack` to end."""
    with span("kubernetes.start"):
        folder = stack.enter_context(_scratch(state))
        keys = Keys.make(folder)
        given = ports.assign(dict.fromkeys((ETCD, ETCD_PEER, API)), {})
        etcd = _run(program, commands.etcd(keys, given, folder / "data"), folder, stack)
        etcd.until(lambda: _objection(given[ETCD], "/health", '"true"', keys.etcd_ca, keys.etcd), READY_S)
        api = _run(program, commands.api_server(keys, given, folder), folder, stack)
        api.until(lambda: _objection(given[API], "/readyz", "ok", keys.ca, keys.admin), READY_S)
        url = f"https://{HOST}:{given[API]}"
        kubeconfig = folder / "admin.kubeconfig"
        write_private(kubeconfig, _kubeconfig(url, keys))
        return ApiServer(url, keys.ca, kubeconfig, (etcd.process.pid, api.process.pid), keys.admin)


@contextmanager
def _scratch(state: Path) -> Iterator[Path]:
    """A folder of this start's own; those of starts that were killed go first, known by a lock that nobody holds."""
    with FileLock(state / ".lock", timeout=READY_S):
        for left in state.glob(f"{SCRATCH}*"):
            if _is_free(left / OWNED):
                shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=state))
        owned = FileLock(folder / OWNED)
        owned.acquire()
    try:
        yield folder
    finally:
        owned.release()
        shutil.rmtree(folder)


def _is_free(lock: Path) -> bool:
    try:
        with FileLock(lock, timeout=0):
            return True
    except Timeout:
        return False


def _run(program: Path, arguments: list[str], folder: Path, stack: ExitStack) -> Daemon:
    return stack.enter_context(running(arguments[0], [str(program), *arguments], folder))


def _objection(port: int, path: str, right: str, ca: Path, client: Pair) -> str:
    """Ask once, with credentials; what is wrong with the answer, nothing when it holds what is `right`."""
    import requests

    with requests.Session() as session:
        session.trust_env = False  # no proxy: it is on this machine
        try:
            answer = session.get(
                f"https://{HOST}:{port}{path}",
                verify=str(ca),
                cert=(str(client.certificate), str(client.key)),
                timeout=ANSWER_S,
            )
        except requests.RequestException as error:
            return f"{path} does not answer: {type(error).__name__}"
    return "" if answer.ok and right in answer.text else f"{path} answers {answer.status_code}: {answer.text[-300:]}"


def _kubeconfig(url: str, keys: Keys) -> str:
    """Names the files of the keys, so that these lie in one place only."""
    user = {"client-certificate": str(keys.admin.certificate), "client-key": str(keys.admin.key)}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "floe", "cluster": {"server": url, "certificate-authority": str(keys.ca)}}],
            "users": [{"name": "admin", "user": user}],
            "contexts": [{"name": "floe", "context": {"cluster": "floe", "user": "admin"}}],
            "current-context": "floe",
        },
        sort_keys=False,
    )
