"""A bare cluster is a real one, outlives what happens to it, and leaves nothing: needs root on Linux and containerd.

Each test has the cluster brought up first, which joins the one that runs: so each stands for itself, in any order. The
cluster belongs to this process, and ends with it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from floe_core.errors import ExitCode
from floe_ops.images import build
from tenacity import Retrying, retry_if_not_result, retry_if_result, stop_after_delay, wait_fixed

pytestmark = pytest.mark.timeout(900)  # the first start of a machine builds Kubernetes and the images

PROGRAM = Path(sys.executable).with_name("bare-cluster")
MANIFESTS = Path(__file__).with_name("bare-cluster.yaml")
KEPT = "kept on the volume"
UP_S, CALL_S, ROLLOUT_S, END_S = 850, 120, "90s", 15
Run = subprocess.CompletedProcess[str]


class Cluster:
    """The cluster in that folder, by its command line."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def call(self, command: str, *words: str, timeout: int = CALL_S, given: str | None = None) -> Run:
        whole = [str(PROGRAM), command, "--state", str(self.state), *words]
        return subprocess.run(whole, input=given, capture_output=True, text=True, timeout=timeout, check=False)

    def up(self, owner: int) -> dict[str, Any]:
        done = self.call("up", "--json", "--ends-with", str(owner), timeout=UP_S)
        assert done.returncode == 0, done.stdout + done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def status(self) -> tuple[int, dict[str, Any]]:
        done = self.call("status", "--json")
        return done.returncode, json.loads(done.stdout)

    def kubectl(self, *words: str) -> Run:
        return self.call("kubectl", *words)

    def got(self, *words: str) -> str:
        done = self.kubectl(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def deploy(self) -> None:
        """Have the proof's Deployment running, whatever ran before."""
        manifests = MANIFESTS.read_text(encoding="utf-8").replace(
            "BUSYBOX", build.ensure(["busybox"])["busybox"].reference
        )
        done = self.call("kubectl", "apply", "-f", "-", given=manifests)
        assert done.returncode == 0, done.stderr
        self.got("-n", "proof", "rollout", "status", "deploy/web", f"--timeout={ROLLOUT_S}")

    @property
    def first(self) -> int:
        return int(json.loads((self.state / "run/processes.json").read_text(encoding="utf-8"))["first"]["pid"])

    @property
    def groups(self) -> list[Path]:
        return [Path(each) for each in json.loads((self.state / "run/groups.json").read_text(encoding="utf-8"))]

    @property
    def processes(self) -> set[int]:
        """All that lie in its control groups, as the machine numbers them."""
        files = (file for group in self.groups for file in group.rglob("cgroup.procs"))
        return {int(line) for file in files for line in file.read_text(encoding="ascii").split()}

    @property
    def link(self) -> str:
        return self.groups[0].name


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("bare") / "a cluster")
    try:
        yield found
    finally:
        done = found.call("down", "--wipe")
    assert done.returncode == 0, done.stderr
    assert not found.state.exists()


@pytest.fixture
def cluster(place: Cluster) -> Cluster:
    place.up(os.getpid())
    return place


def until(look: Callable[[], bool], deadline_s: float = END_S) -> None:
    Retrying(stop=stop_after_delay(deadline_s), wait=wait_fixed(0.05), retry=retry_if_not_result(bool))(look)


@contextmanager
def gone_afterwards(cluster: Cluster) -> Iterator[None]:
    """What the block does ends the cluster and leaves nothing on the machine."""
    processes, groups, link = cluster.processes, cluster.groups, cluster.link
    assert len(processes) > 10
    assert Path("/sys/class/net", link).exists()
    yield
    until(lambda: not any(psutil.pid_exists(each) for each in processes))
    until(lambda: not any(each.exists() for each in groups))
    until(lambda: not Path("/sys/class/net", link).exists())
    assert f"dev {link}" not in subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    assert str(cluster.state.name) not in Path("/proc/self/mountinfo").read_text(encoding="utf-8")


def test_a_deployment_behind_a_service_keeps_its_data_on_a_volume(cluster: Cluster) -> None:
    cluster.deploy()
    served = ("-n", "proof", "exec", "deploy/web", "--", "wget", "-qO-", "http://web.proof.svc.cluster.local/kept.txt")
    cluster.got("-n", "proof", "exec", "deploy/web", "--", "sh", "-c", f"echo {KEPT} > /data/kept.txt")
    assert cluster.got(*served).strip() == KEPT
    before = cluster.got("-n", "proof", "get", "pods", "-o", "name")
    cluster.got("-n", "proof", "delete", "pod", "-l", "app=web")
    cluster.got("-n", "proof", "rollout", "status", "deploy/web", f"--timeout={ROLLOUT_S}")
    assert cluster.got("-n", "proof", "get", "pods", "-o", "name") != before
    retrying = Retrying(
        stop=stop_after_delay(END_S), wait=wait_fixed(0.2), retry=retry_if_result(lambda run: run.returncode)
    )
    assert retrying(lambda: cluster.kubectl(*served)).stdout.strip() == KEPT
    assert cluster.got("get", "storageclass", "-o", "jsonpath={.items[*].metadata.name}") == "local-path"


def test_a_port_is_forwarded(cluster: Cluster) -> None:
    cluster.deploy()
    cluster.got("-n", "proof", "exec", "deploy/web", "--", "sh", "-c", "echo hello > /data/index.html")
    words = ["kubectl", "--state", str(cluster.state), "-n", "proof", "port-forward", "svc/web", ":80"]
    with subprocess.Popen([PROGRAM, *words], stdout=subprocess.PIPE, text=True) as forward:
        try:
            assert forward.stdout is not None
            port = re.search(r"127\.0\.0\.1:(\d+)", forward.stdout.readline())
            assert port is not None
            with requests.Session() as session:
                session.trust_env = False
                assert session.get(f"http://127.0.0.1:{port[1]}/", timeout=5).text == "hello\n"
        finally:
            forward.kill()


def test_pod_security_refuses_what_restricted_forbids(cluster: Cluster) -> None:
    cluster.deploy()
    image = cluster.got("-n", "proof", "get", "deploy/web", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
    words = ("run", "rude", f"--image={image}", "--privileged", "--restart=Never")
    refused = cluster.kubectl("-n", "proof", *words)
    assert refused.returncode == 1
    assert 'violates PodSecurity "restricted:latest"' in refused.stderr
    assert cluster.kubectl("-n", "default", *words, "--dry-run=server").returncode == 0


def test_the_node_is_a_small_one(cluster: Cluster) -> None:
    told = json.loads(cluster.got("get", "node", "bare", "-o", "jsonpath={.status.allocatable}"))
    assert told["cpu"] == str(min(2, os.cpu_count() or 1))
    assert int(told["memory"].removesuffix("Ki")) == pytest.approx(4 << 20, rel=0.01)


def test_images_that_are_there_are_not_loaded_again(cluster: Cluster) -> None:
    archive = build.ensure(["busybox"])["busybox"].archive
    assert json.loads(cluster.call("load", "--json", str(archive)).stdout)["loaded"] == []


def test_killing_its_first_process_leaves_nothing_and_up_brings_all_back(cluster: Cluster) -> None:
    cluster.deploy()
    cluster.got("-n", "proof", "exec", "deploy/web", "--", "sh", "-c", f"echo {KEPT} > /data/kept.txt")
    with gone_afterwards(cluster):
        psutil.Process(cluster.first).kill()
    assert cluster.status()[0] == ExitCode.MISSING
    assert cluster.up(os.getpid())["ready"]
    cluster.deploy()
    assert cluster.got("-n", "proof", "exec", "deploy/web", "--", "cat", "/data/kept.txt").strip() == KEPT


def test_a_daemon_that_dies_is_seen_and_up_replaces_the_node(cluster: Cluster) -> None:
    (scheduler,) = [each for each in cluster.processes if "kube-scheduler" in psutil.Process(each).cmdline()]
    psutil.Process(scheduler).kill()
    until(lambda: cluster.status()[0] == ExitCode.WRONG)
    assert cluster.status()[1]["why"] == "kube-scheduler ended with code -9"
    first = cluster.first
    assert cluster.up(os.getpid())["ready"]
    assert cluster.first != first


def test_killing_up_in_the_middle_harms_nothing(cluster: Cluster) -> None:
    assert cluster.call("down").returncode == 0
    words = ["up", "--state", str(cluster.state), "--ends-with", str(os.getpid())]
    with subprocess.Popen([PROGRAM, *words], stderr=subprocess.DEVNULL) as start:
        until((cluster.state / "run/processes.json").exists, 60)
        start.kill()
    assert cluster.up(os.getpid())["ready"]


def test_it_ends_with_its_last_owner(cluster: Cluster) -> None:
    assert cluster.call("down").returncode == 0
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
        assert cluster.up(owner.pid)["owners"] == [str(owner.pid)]
        with gone_afterwards(cluster):
            owner.kill()


def test_down_leaves_nothing(cluster: Cluster) -> None:
    with gone_afterwards(cluster):
        assert cluster.call("down").returncode == 0
