"""WU-1: a release that a killed or failing Helm left stuck is healed, by both majors, on a real Kubernetes API server.

Each state is made by Helm itself: hooks that never end hold it, and it is killed, or its time runs out.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from floe_core.errors import NotReadyError
from floe_ops import project, toolchain
from floe_ops.clients.helm import Helm, Place, ReleaseBusyError, Status, Values
from floe_ops.kube_api import ApiServer, api_server
from floe_ops.release import CannotHealError, Reinstall, Terms, heal
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

# The first start of all builds server and Helm from their modules, which takes minutes; from then on it takes seconds.
pytestmark = [pytest.mark.requirement("WU1-AC5"), pytest.mark.timeout(2700)]

MAJORS = {"3": "helm", "4": "helm4"}
NOW = Terms(stuck_after_s=0, deadline_s=60)
NAME = "floe"
HOOK = """\
{{- if .Values.hook }}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-hook
  annotations:
    helm.sh/hook: {{ .Values.hook }}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: waits
          image: localhost/nothing:1
{{- end }}
"""
DATA = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-data
data:
  content: {{ .Values.content | quote }}
"""


@dataclass(frozen=True)
class World:
    """One namespace, and one Helm for it."""

    helm: Helm
    chart: Path
    server: ApiServer

    def put(self, content: str, verb: str = "upgrade") -> None:
        """A change that goes well."""
        options = {"make_namespace": True, "install": True} if verb == "upgrade" else {"make_namespace": True}
        self.helm.upgrade(NAME, self.chart, Values(inline={"content": content}), **options)

    @contextmanager
    def held(self, verb: str, hook: str, *more: str) -> Iterator[subprocess.Popen[bytes]]:
        """A Helm of somebody else, at work for as long as the block runs; then killed, so that it can tell nobody."""
        before = len(self.helm.history(NAME))
        words = [verb, NAME, *more]
        if verb != "rollback":
            words += [str(self.chart), "--set", f"hook={hook},content=held", "--create-namespace"]
        place = ["--namespace", self.helm.place.namespace, "--kubeconfig", str(self.server.kubeconfig)]
        process = subprocess.Popen([str(self.helm.program), *words, *place], stderr=subprocess.DEVNULL)
        try:
            self.until(lambda: len(self.helm.history(NAME)) > before and self.has_job())
            yield process
        finally:
            process.kill()
            process.wait()

    def has_job(self) -> bool:
        """Whether the hook is there, for which Helm waits."""
        with self.server.session() as session:
            path = f"/apis/batch/v1/namespaces/{self.helm.place.namespace}/jobs"
            return bool(session.get(self.server.url + path, timeout=5).json()["items"])

    def fail(self) -> None:
        """An upgrade whose hook never ends, until its time is up."""
        with pytest.raises(NotReadyError):
            self.helm.within(1).upgrade(NAME, self.chart, Values(inline={"content": "failed", "hook": "post-upgrade"}))

    def content(self) -> str:
        """What the release put into the cluster."""
        with self.server.session() as session:
            path = f"/api/v1/namespaces/{self.helm.place.namespace}/configmaps/{NAME}-data"
            answer = session.get(self.server.url + path, timeout=5)
            return str(answer.json()["data"]["content"]) if answer.ok else ""

    def newest(self) -> tuple[int, Status]:
        revision = self.helm.history(NAME)[-1]
        return revision.number, revision.status

    @staticmethod
    def until(holds: Callable[[], bool]) -> None:
        waiting = wait_exponential(multiplier=0.05, max=0.2)
        Retrying(stop=stop_after_delay(20), wait=waiting, retry=retry_if_result(lambda so: not so))(holds)


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with api_server(project.state() / "kube-api") as running:
        yield running


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chart") / "held"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "held", "version": "0.1.0"}))
    (folder / "values.yaml").write_text('content: ""\nhook: ""\n')
    (folder / "templates" / "data.yaml").write_text(DATA)
    (folder / "templates" / "hook.yaml").write_text(HOOK)
    return folder


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture(params=list(MAJORS))
def world(request: pytest.FixtureRequest, server: ApiServer, chart: Path, numbers: Iterator[int]) -> World:
    place = Place(f"stuck-{next(numbers)}", server.kubeconfig)
    return World(Helm(toolchain.ensure(MAJORS[request.param]), place, deadline_s=30), chart, server)


def stick(world: World, state: Status) -> None:
    """Bring a release with two or three good revisions into `state`; the newest of them holds "two"."""
    world.put("one")
    if state is Status.PENDING_ROLLBACK:
        world.helm.upgrade(NAME, world.chart, Values(inline={"content": "held", "hook": "pre-rollback"}))
    world.put("two")
    if state is Status.FAILED:
        world.fail()
    elif state is Status.PENDING_UPGRADE:
        with world.held("upgrade", "pre-upgrade"):
            pass
    elif state is Status.PENDING_ROLLBACK:
        with world.held("rollback", "", "2"):
            pass
    else:  # an install in the place of a failed upgrade
        world.fail()
        with world.held("install", "pre-install", "--replace"):
            pass


STATES = [Status.PENDING_INSTALL, Status.PENDING_UPGRADE, Status.PENDING_ROLLBACK, Status.FAILED]


@pytest.mark.requirement("WU1-BC5")
@pytest.mark.parametrize("state", STATES)
def test_a_stuck_release_is_brought_back_to_its_newest_good_revision_and_upgrades_again(
    world: World, state: Status
) -> None:
    stick(world, state)
    number, status = world.newest()
    assert status is state
    if status.pending:
        with pytest.raises(ReleaseBusyError):
            world.put("refused")
    told: list[str] = []
    outcome = heal(world.helm, NAME, NOW, tell=told.append)
    good = 3 if state is Status.PENDING_ROLLBACK else 2
    assert (outcome.state, outcome.found, outcome.revision, outcome.target) == ("healed", state, number, good)
    assert world.newest() == (number + 1, Status.DEPLOYED)
    assert world.content() == "two"
    assert any(f"rolled back to revision {good}" in line and NAME in line for line in told)
    lines = map(json.loads, (project.state() / "helm" / "recover.jsonl").read_text().splitlines())
    mine = [line for line in lines if line["namespace"] == world.helm.place.namespace]
    assert [(one["action"], one["plan"]["status"]) for one in mine[-1:]] == [(f"rolled back to revision {good}", state)]
    world.put("three")
    assert (world.content(), world.newest()[1]) == ("three", Status.DEPLOYED)
    assert heal(world.helm, NAME, NOW).state == "healthy"


@pytest.mark.parametrize(("world", "other"), [("3", "4"), ("4", "3")], indirect=["world"])
def test_one_major_heals_what_the_other_left(world: World, other: str) -> None:
    stick(world, Status.PENDING_UPGRADE)
    healer = Helm(toolchain.ensure(MAJORS[other]), world.helm.place, deadline_s=30)
    assert heal(healer, NAME, NOW).state == "healed"
    assert (world.content(), world.newest()) == ("two", (4, Status.DEPLOYED))


def test_without_a_good_revision_it_says_so_and_stops_and_reinstalls_when_asked(world: World) -> None:
    with world.held("install", "post-install"):
        pass
    before = world.helm.history(NAME)
    assert [one.status for one in before] == [Status.PENDING_INSTALL]
    for terms in (NOW, Terms(stuck_after_s=0, dry_run=True)):
        with pytest.raises(CannotHealError) as caught:
            heal(world.helm, NAME, terms)
        assert "no revision of this release was ever deployed" in caught.value.why
        assert f"helm uninstall {NAME} --namespace {world.helm.place.namespace}" in caught.value.remedy
    assert world.helm.history(NAME) == before
    outcome = heal(
        world.helm, NAME, NOW, reinstall=Reinstall(world.chart, Values(inline={"content": "anew", "hook": ""}))
    )
    assert outcome.actions == ("uninstalled revision 1", "installed")
    assert (world.newest(), world.content()) == ((1, Status.DEPLOYED), "anew")


@pytest.mark.parametrize("world", ["4"], indirect=True)
def test_a_removal_that_was_killed_is_not_undone(world: World) -> None:
    world.put("one")
    relabel(world, Status.UNINSTALLING)
    with pytest.raises(CannotHealError, match="cannot be healed") as caught:
        heal(world.helm, NAME, NOW)
    assert "its removal was begun" in caught.value.why
    assert heal(world.helm, NAME, NOW, reinstall=Reinstall(world.chart)).state == "healed"
    assert (world.newest(), world.content()) == ((1, Status.DEPLOYED), "one")


@pytest.mark.parametrize("world", ["3"], indirect=True)
def test_the_task_ends_with_the_code_that_says_how_it_went(world: World) -> None:
    def recover(*words: str) -> tuple[int, dict[str, Any]]:
        place = ["--context", "floe", "--namespace", world.helm.place.namespace, "--json", "--stuck-after", "0"]
        environment = {
            **os.environ,
            "KUBECONFIG": str(world.server.kubeconfig),
            "FLOE_TOOL_HELM": str(world.helm.program),
        }
        done = subprocess.run(
            [sys.executable, "-m", "invoke", "helm.recover", *place, *words],
            cwd=project.root(),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, json.loads(done.stdout)

    code, told = recover()
    assert (code, told["state"]) == (0, "absent")
    with world.held("install", "post-install"):
        pass
    code, told = recover()
    assert (code, told["state"], told["revision"]) == (4, "refused", 1)
    heal(world.helm, NAME, NOW, reinstall=Reinstall(world.chart, Values(inline={"content": "one"})))
    with world.held("upgrade", "pre-upgrade"):
        pass
    code, told = recover("--dry-run")
    assert (code, told["state"], told["target"]) == (0, "planned", 1)
    code, told = recover()
    assert (code, told["state"], told["now"], told["actions"]) == (0, "healed", 3, ["rolled back to revision 1"])


@pytest.mark.parametrize("world", ["4"], indirect=True)
def test_a_dry_run_changes_nothing(world: World) -> None:
    stick(world, Status.PENDING_UPGRADE)
    before = world.helm.history(NAME)
    outcome = heal(world.helm, NAME, Terms(stuck_after_s=0, dry_run=True))
    assert (outcome.state, outcome.target, outcome.actions) == ("planned", 2, ())
    assert world.helm.history(NAME) == before


@pytest.mark.parametrize("world", ["4"], indirect=True)
def test_a_helm_at_work_is_waited_for_and_not_rolled_back_under_its_feet(world: World) -> None:
    world.put("one")
    ended: list[Any] = []
    with world.held("upgrade", "pre-upgrade"):
        watching = threading.Thread(
            target=lambda: ended.append(heal(world.helm, NAME, Terms(stuck_after_s=300, deadline_s=60)))
        )
        watching.start()
        finish_job(world)
        watching.join(60)
        assert [one.state for one in ended] == ["healthy"]
    assert ended[0].actions == ()
    assert (world.newest(), world.content()) == ((2, Status.DEPLOYED), "held")


@pytest.mark.parametrize("world", ["4"], indirect=True)
def test_a_helm_that_is_never_done_is_told_in_time(world: World) -> None:
    world.put("one")
    with world.held("upgrade", "pre-upgrade"), pytest.raises(NotReadyError, match="not healthy after 1 s") as caught:
        heal(world.helm, NAME, Terms(stuck_after_s=300, deadline_s=1))
    assert "revision 2 is pending-upgrade" in caught.value.why
    assert world.newest() == (2, Status.PENDING_UPGRADE)


@pytest.mark.parametrize("world", ["4"], indirect=True)
def test_of_two_healers_one_heals_and_both_end_well(world: World) -> None:
    stick(world, Status.PENDING_UPGRADE)
    outcomes: list[Any] = []
    healers = [threading.Thread(target=lambda: outcomes.append(heal(world.helm, NAME, NOW))) for _ in range(2)]
    for healer in healers:
        healer.start()
    for healer in healers:
        healer.join(60)
    assert sorted(one.state for one in outcomes) == ["healed", "healthy"]
    assert world.newest() == (4, Status.DEPLOYED)


def relabel(world: World, status: Status) -> None:
    """Write a status into the newest revision, as Helm does it: payload and label."""
    import base64
    import gzip

    number = world.newest()[0]
    path = f"/api/v1/namespaces/{world.helm.place.namespace}/secrets/sh.helm.release.v1.{NAME}.v{number}"
    with world.server.session() as session:
        secret = session.get(world.server.url + path, timeout=5).json()
        record = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(secret["data"]["release"]))))
        record["info"]["status"] = str(status)
        packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(record).encode()))).decode()
        secret["data"]["release"], secret["metadata"]["labels"]["status"] = packed, str(status)
        _good(session.put(world.server.url + path, json=secret, timeout=5))


def finish_job(world: World) -> None:
    """What a controller would write once the hook's pod has ended well."""
    path = f"/apis/batch/v1/namespaces/{world.helm.place.namespace}/jobs/{NAME}-hook/status"
    moment = "2026-01-01T00:00:00Z"
    met = [
        {"type": kind, "status": "True", "lastTransitionTime": moment, "lastProbeTime": moment}
        for kind in ("SuccessCriteriaMet", "Complete")
    ]
    status = {"conditions": met, "succeeded": 1, "startTime": moment, "completionTime": moment}
    with world.server.session() as session:
        answer = session.patch(
            world.server.url + path,
            data=json.dumps({"status": status}),
            headers={"Content-Type": "application/merge-patch+json"},
            timeout=5,
        )
        _good(answer)


def _good(answer: requests.Response) -> None:
    assert answer.ok, answer.text
