"""The client with both real Helms on a real API server, which runs nothing: charts of ConfigMaps only."""

from __future__ import annotations

import itertools
import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from floe_core.errors import FloeError, MissingToolError, NotReadyError, UsageError
from floe_ops import project, toolchain
from floe_ops.clients import helm as client
from floe_ops.clients.helm import Helm, Place, ReleaseBusyError, ReleaseMissingError, Status, Values, choose
from floe_ops.kube_api import ApiServer, api_server

# The first start of all builds server and Helm from their modules, which takes minutes; from then on it takes seconds.
pytestmark = pytest.mark.timeout(2700)

PROGRAMS = ("helm", "helm4")
TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-data
data:
  content: {{ required "content is needed" .Values.content | quote }}
"""
TEST_POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations:
    helm.sh/hook: test
spec:
  restartPolicy: Never
  containers:
    - name: test
      image: localhost/nothing:1
"""
HOOK = """\
{{- if .Values.hook }}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-hook
  annotations: {helm.sh/hook: {{ .Values.hook }}}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: waits, image: "localhost/nothing:1"}]
{{- end }}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with api_server(project.state() / "kube-api") as running:
        yield running


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    (folder / "templates" / "tests").mkdir(parents=True)
    about = {"apiVersion": "v2", "name": "small", "version": "0.1.0", "appVersion": "1.0", "icon": "file:///i.svg"}
    (folder / "Chart.yaml").write_text(yaml.safe_dump(about))
    (folder / "values.yaml").write_text('content: "none"\nhook: ""\n')
    (folder / "templates" / "data.yaml").write_text(TEMPLATE)
    (folder / "templates" / "hook.yaml").write_text(HOOK)
    (folder / "templates" / "tests" / "pod.yaml").write_text(TEST_POD)
    return folder


@pytest.fixture(params=PROGRAMS)
def helm(request: pytest.FixtureRequest, server: ApiServer, numbers: Iterator[int]) -> Helm:
    place = Place(f"client-{next(numbers)}", server.kubeconfig)
    return Helm(toolchain.ensure(request.param), place, deadline_s=30)


def test_a_release_lives_and_ends(helm: Helm, chart: Path, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("content: of the file\nother: 1\n")
    assert (helm.history("floe"), helm.releases()) == ((), ())
    made = helm.upgrade("floe", chart, Values((file,)), install=True, make_namespace=True)
    assert (made.name, made.namespace, made.revision, made.status) == ("floe", helm.place.namespace, 1, Status.DEPLOYED)
    changed = helm.upgrade("floe", chart, Values((file,), {"content": "inline wins"}), atomic=True)
    assert changed.revision == 2
    assert helm.values("floe") == {"content": "inline wins", "other": 1}
    assert helm.values("floe", 1) == {"content": "of the file", "other": 1}
    assert helm.values("floe", computed=True) == {"content": "inline wins", "other": 1, "hook": ""}
    assert yaml.safe_load(helm.manifest("floe"))["data"] == {"content": "inline wins"}
    helm.rollback("floe", 1)
    history = helm.history("floe")
    assert [(one.number, one.status, one.restores) for one in history] == [
        (1, Status.SUPERSEDED, None),
        (2, Status.SUPERSEDED, None),
        (3, Status.DEPLOYED, 1),
    ]
    assert (history[0].chart, history[0].app_version) == ("small-0.1.0", "1.0")
    assert helm.status("floe").revision == 3
    assert helm.status("floe", 2).status is Status.SUPERSEDED
    assert [(one.name, one.revision, one.status) for one in helm.releases()] == [("floe", 3, Status.DEPLOYED)]
    assert abs((helm.releases()[0].updated - history[-1].updated).total_seconds()) < 1
    helm.uninstall("floe")
    with pytest.raises(ReleaseMissingError):
        helm.status("floe")


def test_what_fails_is_rolled_back_when_asked_and_listed_otherwise(helm: Helm, chart: Path) -> None:
    hook = Values(inline={"hook": "pre-upgrade"})
    helm.install("floe", chart, make_namespace=True)
    heard: list[str] = []
    quick = Helm(helm.program, helm.place, heard.append, deadline_s=1)
    with pytest.raises(NotReadyError) as caught:
        quick.upgrade("floe", chart, hook, atomic=True)
    assert f"release floe, namespace {helm.place.namespace}" in caught.value.where
    assert [one.status for one in helm.history("floe")] == [Status.SUPERSEDED, Status.FAILED, Status.DEPLOYED]
    assert heard
    with pytest.raises(NotReadyError):
        quick.upgrade("floe", chart, hook)
    assert [one.status for one in helm.releases()] == [Status.FAILED]
    with pytest.raises(FloeError) as failed:  # no controller made the service account that its pod wants
        quick.test("floe")
    assert "floe-test" in failed.value.why


def test_it_renders_and_lints_without_a_cluster(helm: Helm, chart: Path) -> None:
    nowhere = Helm(helm.program, Place("floe-test", chart / "no.kubeconfig"))
    text = nowhere.template(
        "floe", chart, Values(inline={"content": "x"}), kube_version="1.34", only=["templates/data.yaml"]
    )
    assert [one["data"]["content"] for one in yaml.safe_load_all(text)] == ["x"]
    with pytest.raises(FloeError, match="helm template failed") as caught:
        nowhere.template("floe", chart, Values(inline={"content": ""}))
    assert "content is needed" in caught.value.why
    nowhere.lint(chart)
    (chart / "templates" / "data.yaml").write_text("{{ .Values.nothing.at.all }}")
    with pytest.raises(FloeError, match="helm lint failed") as caught:
        nowhere.lint(chart)
    assert "templates/" in caught.value.why
    with pytest.raises(MissingToolError, match="no Kubernetes cluster answers"):
        nowhere.status("floe")


def test_somebody_else_in_this_checkout_keeps_it_from_changing_a_release(helm: Helm, chart: Path) -> None:
    """A lock that another process holds; a child holds it here, since one process may take its own again."""
    helm.install("floe", chart, make_namespace=True)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with helm.alone("floe"):
            os.write(writing, b"held")
            signal.pause()
        os._exit(0)
    try:
        assert os.read(reading, 4) == b"held"
        with pytest.raises(ReleaseBusyError, match="another process of this checkout"):
            helm.upgrade("floe", chart)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)
    assert helm.upgrade("floe", chart).revision == 2


class Recorder:
    """A program that plays Helm and notes what it is given."""

    def __init__(self, folder: Path, version: str) -> None:
        self.folder = folder
        self.program = folder / "helm"
        answer = json.dumps({"name": "f", "namespace": "n", "version": 1, "info": {"status": "deployed"}})
        self.program.write_text(
            f'#!/bin/sh\nif [ "$1" = version ]; then echo {version}; exit; fi\n'
            f"echo \"$@\" > {folder}/words; cat > {folder}/stdin; env > {folder}/env; echo '{answer}'\n"
        )
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()


@pytest.mark.parametrize(
    ("version", "words"),
    [("v3.14.0", "--wait --atomic"), ("v4.3.1", "--wait=watcher --rollback-on-failure")],
)
def test_each_major_is_spoken_to_in_its_own_words(tmp_path: Path, chart: Path, version: str, words: str) -> None:
    recorder = Recorder(tmp_path, version)
    helm = Helm(recorder.program, Place("n", context="there"), deadline_s=7)
    helm.upgrade("f", chart, atomic=True)
    assert recorder.read("words").split("json ")[1] == f"--timeout 7s {words} --namespace n --kube-context there\n"


def test_a_secret_is_on_no_command_line_and_in_no_file(
    tmp_path: Path, chart: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELM_REPOSITORY_CONFIG", "/somebody/elses")
    recorder = Recorder(tmp_path, "v3.22.0")
    helm = Helm(recorder.program, Place("n", tmp_path / "kubeconfig"))
    helm.install("f", chart, Values(inline={"auth": {"password": "hunter22"}}))  # nosec B105 - planted
    assert yaml.safe_load(recorder.read("stdin")) == {"auth": {"password": "hunter22"}}  # nosec B105 - planted
    assert "hunter22" not in recorder.read("words") + recorder.read("env")
    assert f"KUBECONFIG={tmp_path}/kubeconfig" in recorder.read("env")
    assert "/somebody/elses" not in recorder.read("env")
    assert f"HELM_CACHE_HOME={project.state()}/helm/cache" in recorder.read("env")


def test_secrets_of_inline_values_are_known_by_their_keys() -> None:
    inline = {"a": {"password": "hunter22", "user": "joe"}, "env": [{"apiToken": "t0ken"}], "key": "abc"}  # nosec B105 - planted
    assert set(Values(inline=inline).secrets) == {"hunter22", "t0ken"}


def test_a_chart_or_file_that_is_not_there_is_told_before_helm_is_asked(tmp_path: Path, chart: Path) -> None:
    helm = Helm(tmp_path / "none")
    with pytest.raises(UsageError, match="there is no chart"):
        helm.template("f", Path("floe-platform"))
    with pytest.raises(UsageError, match="values file is missing"):
        helm.lint(chart, Values((tmp_path / "none.yaml",)))


def test_the_helm_that_is_named_is_used_then_that_of_the_machine_if_it_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {name: tmp_path / name for name in ("named", "old", "new", "built")}
    for folder in folders.values():
        folder.mkdir()
    made = {
        name: Recorder(folder, version).program
        for (name, folder), version in zip(folders.items(), ("v3.99.0", "v3.13.3", "v4.0.1", "v3.22.0"), strict=True)
    }
    monkeypatch.setattr(toolchain, "ensure", lambda _name: made["built"])
    monkeypatch.delenv("FLOE_TOOL_HELM", raising=False)
    monkeypatch.setenv("PATH", f"{folders['new']}:{os.environ['PATH']}")
    assert choose().program == made["new"]
    monkeypatch.setenv("PATH", f"{folders['old']}:/usr/bin:/bin")
    assert choose().program == made["built"]
    monkeypatch.setenv("FLOE_TOOL_HELM", str(made["named"]))
    assert choose(Place("n")).version == client.Version(3, 99, "3.99.0")


def test_an_old_helm_that_is_named_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="not of use") as caught:
        _ = Helm(Recorder(tmp_path, "v3.13.3").program).version
    assert "3.14 is the oldest" in caught.value.why
