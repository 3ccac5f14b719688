"""One call of a program that plays Helm: how it is ended, and how what it says is read."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from pathlib import Path

import psutil
import pytest
from floe_core.errors import CredentialsRefusedError, FloeError, MissingToolError, NotReadyError
from floe_ops.clients import helm_process
from floe_ops.clients.helm_process import Call, ReleaseBusyError, ReleaseMissingError, run

ABOUT = "release floe, namespace floe-test"


def call(folder: Path, body: str, *arguments: str, **more: object) -> Call:
    path = folder / "helm"
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    deadline_s = float(str(more.pop("deadline_s", 10)))
    return Call(path, arguments or ("upgrade",), {"PATH": os.defpath}, deadline_s, ABOUT, **more)  # type: ignore[arg-type]


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_it_returns_the_answer_and_tells_lines_as_they_come(tmp_path: Path) -> None:
    heard: list[str] = []
    text = run(call(tmp_path, "echo waiting >&2; cat; echo '{}'", stdin="secret: 1\n", hear=heard.append))
    assert text == "secret: 1\n{}\n"
    assert heard == ["waiting"]


def test_at_the_deadline_it_is_told_to_end_first_and_may_record_it(tmp_path: Path) -> None:
    body = f"trap 'echo recorded > {tmp_path}/end; exit 1' TERM; echo working >&2; while :; do sleep 0.05; done"
    with pytest.raises(NotReadyError, match=r"did not end within 0\.5 s") as caught:
        run(call(tmp_path, body, deadline_s=0.5))
    assert (tmp_path / "end").read_text() == "recorded\n"
    assert (caught.value.where, "working" in caught.value.why) == (ABOUT, True)


def test_what_does_not_listen_is_killed_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(helm_process, "GRACE_S", 0.2)
    body = f"trap '' TERM; (trap '' TERM; echo $$ > /dev/null; exec sleep 60) & echo $! > {tmp_path}/pid; wait"
    with pytest.raises(NotReadyError):
        run(call(tmp_path, body, deadline_s=0.5))
    assert not alive(int((tmp_path / "pid").read_text()))


def test_ctrl_c_ends_it_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = f"trap 'echo recorded > {tmp_path}/end; exit 1' TERM; while :; do sleep 0.05; done"
    begun = call(tmp_path, f"echo $$ > {tmp_path}/pid; {body}")

    def interrupted(self: object, _timeout: float | None = None) -> int:
        monkeypatch.undo()
        while not (tmp_path / "pid").exists():
            pass
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(begun)
    assert not alive(int((tmp_path / "pid").read_text()))


def test_it_does_not_outlive_the_thread_that_waits_for_it_nor_leave_readers_behind(tmp_path: Path) -> None:
    before = threading.active_count()
    run(call(tmp_path, "exit 0"))
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('Error: Kubernetes cluster unreachable: Get "https://x": dial tcp: no such host', MissingToolError),
        ("Error: kubernetes cluster unreachable: connection refused", MissingToolError),
        ('Error: secrets is forbidden: User "x" cannot list resource', CredentialsRefusedError),
        ('Error: pods "x" is forbidden: violates PodSecurity "restricted:latest"', FloeError),
        ("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress", ReleaseBusyError),
        ('Error: create: failed to create: secrets "sh.helm.release.v1.floe.v3" already exists', ReleaseBusyError),
        ("Error: release: already exists", ReleaseBusyError),
        ("Error: release: not found", ReleaseMissingError),
        ('Error: UPGRADE FAILED: "floe" has no deployed releases', ReleaseMissingError),
        ("Error: UPGRADE FAILED: timed out waiting for the condition", NotReadyError),
        ("Error: resource Deployment/x not ready. status: InProgress\ncontext deadline exceeded", NotReadyError),
    ],
)
def test_what_helm_says_tells_the_kind_of_failure(tmp_path: Path, said: str, kind: type[FloeError]) -> None:
    with pytest.raises(kind) as caught:
        run(call(tmp_path, f"cat >&2 <<'END'\nWARNING: noise\n{said}\nEND\nexit 1"))
    assert type(caught.value) is kind
    assert caught.value.where == ABOUT
    assert caught.value.remedy
    assert said.removeprefix("Error: ").splitlines()[0] in caught.value.why
    assert "noise" not in caught.value.why


def test_an_unknown_failure_says_what_helm_said_without_secrets(tmp_path: Path) -> None:
    body = "echo 'Error: values: password hunter22 does not match hunter2' >&2; exit 1"
    with pytest.raises(FloeError, match="helm upgrade failed") as caught:
        run(call(tmp_path, body, hidden=("hunter2", "hunter22")))
    assert caught.value.why == "helm said: values: password *** does not match ***"


def test_lint_says_on_its_standard_output_what_is_wrong(tmp_path: Path) -> None:
    body = (
        "echo '==> Linting x'; echo '[INFO] icon'; echo '[ERROR] templates/: bad'; echo 'Error: 1 failed' >&2; exit 1"
    )
    with pytest.raises(FloeError) as caught:
        run(call(tmp_path, body, "lint"))
    assert caught.value.why == "helm said: [ERROR] templates/: bad; Error: 1 failed"
    assert "recover" not in caught.value.remedy


def test_a_program_that_is_none_is_told(tmp_path: Path) -> None:
    missing = Call(tmp_path / "helm", ("version",), {}, 1, ABOUT)
    with pytest.raises(MissingToolError, match="cannot start helm"):
        run(missing)
