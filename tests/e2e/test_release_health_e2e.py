"""WU-1, T6: the suite looks at the release's health once, before the first test that needs it; it heals or aborts.

The suite itself is run, on small releases that a killed Helm left stuck. It finds no platform there afterwards, which
is what its tests then say.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from floe_ops.audits.collected import outside_of_a_run
from floe_ops.clients.helm import Status, Values
from floe_ops.targets import current
from floe_ops.targets.cluster import health, record
from floe_ops.targets.cluster.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from floe_ops.clients.helm import Helm
    from floe_ops.targets.cluster import ClusterTarget

    from tests.e2e.conftest import Installed

pytestmark = [pytest.mark.cluster, pytest.mark.platform, pytest.mark.timeout(180)]

SUITE = "tests/e2e/test_platform_bootstrap.py"
CHART = "apiVersion: v2\nname: held\nversion: 0.1.0\n"
DATA = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-data
data:
  content: {{ .Values.content | quote }}
{{- if .Values.holds }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-hook
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: waits
          image: localhost/nothing:1
          imagePullPolicy: Never
{{- end }}
"""


@dataclass(frozen=True)
class Stuck:
    """A small release in a namespace of its own."""

    installed: Installed
    chart: Path
    name: str

    @property
    def helm(self) -> Helm:
        return replace(self.installed.helm, place=replace(self.installed.helm.place, namespace=self.name))

    def install(self) -> None:
        self.helm.upgrade(self.name, self.chart, Values(inline={"content": "good", "holds": False}), install=True)

    def kill(self, verb: str) -> None:
        """A Helm that a hook holds, until it is killed."""
        before = len(self.helm.history(self.name))
        place = ["--namespace", self.name, "--kubeconfig", str(self.helm.place.kubeconfig)]
        place += ["--kube-context", self.helm.place.context]
        words = [str(self.helm.program), verb, self.name, str(self.chart), "--set", "content=bad,holds=true", *place]
        nowhere = subprocess.DEVNULL
        with subprocess.Popen(words, stdin=nowhere, stdout=nowhere, stderr=nowhere) as process:
            try:
                self.installed.until(
                    lambda: len(self.helm.history(self.name)) > before, f"Helm is in the middle of its {verb}", 30
                )
            finally:
                process.kill()

    def statuses(self) -> list[Status]:
        return [one.status for one in self.helm.history(self.name)]

    def suite(self, root: Path, own: Path) -> tuple[int, str]:
        """The suite of `root` on this release, as far as its first tests; `own` is where it finds it on record."""
        found = record.load(Layout(root / ".floe"))
        assert found is not None
        replace(found, release=self.name, namespace=self.name).save(Layout(own / ".floe"))
        (own / "toolchain").symlink_to(root / "toolchain")
        words = [sys.executable, "-m", "pytest", SUITE, "-q", "-p", "floe_ops.suite", "-p", "no:cacheprovider"]
        done = subprocess.run(
            words,
            cwd=root,
            env={
                **outside_of_a_run(os.environ),
                "FLOE_TARGET": "cluster",
                "FLOE_ROOT": str(own),
                "FLOE_TOOLS": os.environ.get("FLOE_TOOLS") or str(root / ".floe" / "tools"),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def stuck(installed: Installed, tmp_path: Path) -> Iterator[Stuck]:
    name = f"health-{secrets.token_hex(3)}"
    chart = tmp_path / "held"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(CHART)
    (chart / "values.yaml").write_text('content: ""\nholds: false\n')
    (chart / "templates" / "all.yaml").write_text(DATA)
    installed.cluster.ensure_namespace(name, {})
    yield Stuck(installed, chart, name)
    installed.cluster.delete_namespace(name, 90)


@pytest.mark.requirement("WU1-AC6")
def test_a_stuck_release_is_healed_once_before_the_first_test(stuck: Stuck, project_root: Path, tmp_path: Path) -> None:
    stuck.install()
    stuck.kill("upgrade")
    assert stuck.statuses() == [Status.DEPLOYED, Status.PENDING_UPGRADE]
    code, said = stuck.suite(project_root, tmp_path)
    assert stuck.statuses()[-1] is Status.DEPLOYED, said
    assert said.count(f"release {stuck.name}, namespace {stuck.name}: rolled back to revision 1") == 1
    assert code == 1
    assert "no platform is running" in said, "the tests ran after the healing"


@pytest.mark.requirement("WU1-AC6")
def test_one_that_cannot_be_healed_ends_the_session_with_the_plan(
    stuck: Stuck, project_root: Path, tmp_path: Path
) -> None:
    stuck.kill("install")
    code, said = stuck.suite(project_root, tmp_path)
    assert code == 1
    assert f"release {stuck.name}, namespace {stuck.name}" in said
    assert "no revision of this release was ever deployed" in said
    assert f"helm uninstall {stuck.name} --namespace {stuck.name}" in said
    assert "no tests ran" in said
    assert stuck.statuses() == [Status.PENDING_INSTALL], "nothing was changed"


@pytest.mark.requirement("WU1-AC6")
def test_a_healthy_release_is_left_as_it_is_and_a_machine_without_cluster_is_not_looked_at(
    installed: Installed, another: Callable[[str, str], ClusterTarget], tmp_path: Path
) -> None:
    history = installed.helm.history(installed.settings.release)
    outcome = health.ensure(current("cluster").layout)  # type: ignore[attr-defined] # the cluster target's
    assert outcome is not None
    assert (outcome.state, outcome.actions) == ("healthy", ())
    assert installed.helm.history(installed.settings.release) == history
    target = another("floe", "nowhere")
    target.layout.record.unlink()
    assert health.ensure(target.layout) is None
