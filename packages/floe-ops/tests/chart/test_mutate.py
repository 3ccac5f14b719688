"""A chart whose tests see one kind of change and not another, with the real helm-unittest."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from floe_core.errors import WrongStateError
from floe_ops import toolchain
from floe_ops.chart import mutate, unit
from floe_ops.chart.mutations import every, of_text, some

# The first start of all builds helm-unittest from its modules, which takes a minute or two.
pytestmark = pytest.mark.timeout(1200)

TEMPLATE = """\
{{/* a comment with port: 1 in it */}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
  labels:
    app.kubernetes.io/name: small
spec:
  ports:
    - port: 80
      targetPort: http
"""
TESTS = """\
suite: service
templates: [service.yaml]
tests:
  - it: serves on 80
    asserts:
      - equal: {path: "spec.ports[0].port", value: PORT}
  - it: has its label
    asserts:
      - equal: {path: "metadata.labels", value: {app.kubernetes.io/name: small}}
"""


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    (folder / "templates").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "small", "version": "0.1.0"}))
    (folder / "values.yaml").write_text("a: 1\n")
    (folder / "templates" / "service.yaml").write_text(TEMPLATE)
    (folder / "tests" / "service_test.yaml").write_text(TESTS.replace("PORT", "80"))
    return folder


def test_tests_are_counted(chart: Path) -> None:
    count = unit.run(chart)
    assert (count.chart, count.suites, count.passed, count.failures) == ("small", 1, 2, ())
    assert not (chart / "tests" / "__snapshot__").exists()


def test_a_failing_test_is_named_with_what_was_seen(chart: Path) -> None:
    (chart / "tests" / "service_test.yaml").write_text(TESTS.replace("PORT", "81"))
    with pytest.raises(WrongStateError, match="1 unit tests of the chart failed") as caught:
        unit.check([chart])
    assert "service: serves on 80: " in caught.value.why
    assert "Expected to equal: 81" in caught.value.why
    with pytest.raises(WrongStateError, match="fail as it is"):
        mutate.run(chart, 5)


@pytest.mark.parametrize("text", ["", "suite: x\ntests: [{it: [}]\n", "suite: x\nunknown: 1\n"])
def test_no_tests_and_tests_that_cannot_be_read_are_no_success(chart: Path, text: str) -> None:
    (chart / "tests" / "service_test.yaml").write_text(text)
    with pytest.raises(WrongStateError):
        unit.check([chart])


def test_a_change_that_no_test_sees_survives_and_is_named(chart: Path) -> None:
    told: list[str] = []
    done = mutate.run(chart, 100, told.append)
    assert (done.possible, done.made) == (3, 3)
    assert [str(one) for one in done.survivors] == [
        "templates/service.yaml:11 port changed: targetPort: http -> targetPort: xhttp"
    ]
    assert told == ["no test saw templates/service.yaml:11 port changed: targetPort: http -> targetPort: xhttp"]
    assert (chart / "templates" / "service.yaml").read_text() == TEMPLATE


def test_a_change_with_which_the_tests_do_not_even_run_was_seen(chart: Path, tmp_path: Path) -> None:
    real = toolchain.ensure(unit.TOOL)
    crashes = tmp_path / "crashes"
    crashes.write_text(
        f'#!/bin/sh\nfor last; do :; done\ngrep -q xhttp "$last"/templates/*.yaml && exit 2\nexec "{real}" "$@"\n'
    )
    crashes.chmod(0o755)
    assert mutate.run(chart, 100, program=crashes).survivors == ()


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("  runAsNonRoot: true", {None, "  runAsNonRoot: false"}),
        ("      automountServiceAccountToken: false", {None, "      automountServiceAccountToken: true"}),
        ("    app.kubernetes.io/component: otel", {None}),
        ("  replicas: 1", {"  replicas: 2"}),
        ("    - containerPort: 8181", {"    - containerPort: 8182"}),
        ("      path: /q/health", {"      path: /q/health-elsewhere"}),
        ("    key: polaris-password", {"    key: other-polaris-password"}),
        (
            '{{ include "floe.env.secret" (list "PGPASSWORD" $name "password") }}',
            {'{{ include "floe.env.secret" (list "PGPASSWORD" $name "other-password") }}'},
        ),
        ("{{- if .Values.a }}", {"{{- if not (.Values.a) }}"}),
        ("{{- else if and .Values.a .Values.b -}}", {"{{- else if not (and .Values.a .Values.b) -}}"}),
        ('  {{- include "floe.labels" . | nindent 4 }}', {None}),
        ("    name: something", set()),
        ("securityContext:", set()),
        ("# port: 1", set()),
    ],
)
def test_each_line_is_changed_as_a_careless_hand_would(line: str, after: set[str | None]) -> None:
    assert {one.after for one in of_text("t.yaml", line)} == after


def test_some_are_the_same_ones_each_time_and_in_order(chart: Path) -> None:
    known = every(chart)
    assert some(known, 2) == some(known, 2)
    assert set(some(known, 2)) < set(known)
    assert some(known, 99) == known
