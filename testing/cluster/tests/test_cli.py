"""The command line where no cluster runs: words, JSON and exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from bare_cluster import cli, condition, machine, status
from bare_cluster.condition import Condition, State
from bare_cluster.machine import Lack
from bare_cluster.processes import Process
from bare_cluster.settings import Settings
from click.testing import CliRunner, Result
from floe_core.errors import ExitCode

COMMANDS = ("up", "down", "status", "load", "prepare", "kubectl", "logs")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PATH", os.environ["PATH"])  # main adds to it
    return str(tmp_path / "none")


def call(*words: str) -> Result:
    return CliRunner().invoke(cli.main, words)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "kubectl"])
def test_every_command_has_help_with_examples(state: str, command: str) -> None:
    done = call(command, "--help")
    assert done.exit_code == 0
    assert f"bare-cluster {command}" in done.output.split("Examples:")[1]
    assert "Exit codes: 0" in done.output


def test_the_commands_are_listed(state: str) -> None:
    assert set(cli.main.commands) == set(COMMANDS)
    assert call("--help").exit_code == 0


def test_no_cluster_is_missing(state: str) -> None:
    done = call("status", "--state", state, "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == ExitCode.MISSING
    assert (told["state"], told["ready"], told["kubeconfig"], told["daemons"]) == ("absent", False, None, [])
    assert call("status", "--state", state).stdout == "absent\n"


@pytest.mark.parametrize("words", [("kubectl", "get", "pods"), ("load", __file__)])
def test_what_needs_a_cluster_says_how_to_start_one(state: str, words: tuple[str, ...]) -> None:
    done = call(words[0], "--state", state, *words[1:])
    assert done.exit_code == ExitCode.MISSING
    assert "bare-cluster up" in done.stderr
    assert done.stdout == ""


def test_kubectl_gets_its_words_as_they_are(state: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []
    running = Condition(State.RUNNING, "", settings, Process(1, 0.0))
    monkeypatch.setattr(condition, "look", lambda _place: running)
    monkeypatch.setattr("os.execve", lambda _program, command, _environment: called.append(command))
    words = ["-n", "proof", "exec", "deploy/web", "--", "sh", "-c", "ls --state --json"]
    call("kubectl", "--state", state, *words)
    assert called == [[str(settings.program), "kubectl", *words]]


def test_ending_nothing_is_no_error(state: str) -> None:
    assert call("down", "--state", state).stdout.startswith("it did not run")
    told = json.loads(call("down", "--state", state, "--wipe", "--json").stdout)
    assert (told["ended"], told["wiped"]) == (False, True)


def test_a_process_to_end_with_must_live(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "check", lambda _state, **_how: None)
    done = call("up", "--state", state, "--ends-with", "99999999")
    assert done.exit_code == ExitCode.USAGE
    assert "--ends-with 99999999" in done.stderr


def test_a_refusal_is_json_where_json_is_asked(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    done = call("up", "--state", state, "--json")
    assert done.exit_code == ExitCode.MISSING
    assert "kind create cluster" in json.loads(done.stdout)["remedy"]


def test_prepare_lists_what_is_missing(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "lacks", lambda _state: [Lack("the program runc", "install it", "runc")])
    done = call("prepare", "--state", state)
    assert (done.exit_code, done.stdout) == (ExitCode.MISSING, "✗ the program runc: install it\n")
    told = json.loads(call("prepare", "--state", state, "--json").stdout)
    assert told == {"lacks": [{"what": "the program runc", "remedy": "install it", "package": "runc"}]}


def test_prepare_installs_when_told_to(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[str] = []
    left = iter([[Lack("the program runc", "install it", "runc")], []])
    monkeypatch.setattr(machine, "lacks", lambda _state: next(left))
    monkeypatch.setattr(machine, "install", installed.extend)
    done = call("prepare", "--state", state, "--yes")
    assert (done.exit_code, installed) == (0, ["runc"])


def test_logs_are_printed_by_name(state: str) -> None:
    folder = Path(state, "log")
    folder.mkdir(parents=True)
    (folder / "etcd.log").write_text("one\ntwo\nthree\n", encoding="utf-8")
    assert call("logs", "--state", state, "--lines", "2").stdout == "== etcd\ntwo\nthree\n"
    assert json.loads(call("logs", "--state", state, "--json", "etcd").stdout) == {"etcd": ["one", "two", "three"]}
    unknown = call("logs", "--state", state, "nobody")
    assert unknown.exit_code == ExitCode.USAGE
    assert "there are: etcd" in unknown.stderr


def test_a_damaged_cluster_names_the_daemon() -> None:
    told: dict[str, Any] = {
        "state": "damaged",
        "ready": False,
        "why": "etcd ended with code 1",
        "kubeconfig": "/k",
        "url": "https://10.99.7.2:6443",
        "cpus": 2.0,
        "memory_gib": 4.0,
        "owners": ["desk"],
        "daemons": [{"name": "etcd", "runs": False, "code": 1}, {"name": "kubelet", "runs": True, "code": None}],
    }
    lines = status.words(told).splitlines()
    assert lines[0] == "damaged: etcd ended with code 1"
    assert lines[-2:] == ["  ✗ etcd ended with code 1", "  ✓ kubelet"]


@pytest.mark.parametrize(
    ("state", "ready", "code"),
    [
        (State.RUNNING, True, ExitCode.OK),
        (State.RUNNING, False, ExitCode.TIMEOUT),
        (State.STARTING, False, ExitCode.TIMEOUT),
        (State.DAMAGED, False, ExitCode.WRONG),
        (State.ABSENT, False, ExitCode.MISSING),
    ],
)
def test_the_exit_code_tells_the_state(state: State, ready: bool, code: ExitCode) -> None:
    assert status.exit_code({"state": str(state), "ready": ready}) is code
