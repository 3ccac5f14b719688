"""Which cluster the tasks of `helm` reach, as people call them; a program that writes down its call is their Helm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from floe_ops.targets.cluster.layout import Layout
from floe_ops.targets.cluster.record import Record

PROJECT = Path(__file__).resolve().parents[4]
Call = Callable[..., "subprocess.CompletedProcess[str]"]
REACHING = [("helm.install",), ("helm.upgrade",), ("helm.test",), ("helm.recover",), ("helm.recover", "--reinstall")]
HELM = """\
#!/bin/sh
[ "$1" = version ] && exec echo v3.22.0
echo "$KUBECONFIG|$*" >> "{calls}"
echo "Error: release: not found" >&2
exit 1
"""


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """The user's own, whose current context nobody meant."""
    path = tmp_path / "mine.kubeconfig"
    path.write_text(yaml.safe_dump({"current-context": "production"}), encoding="utf-8")
    return path


@pytest.fixture
def call(tmp_path: Path, kubeconfig: Path) -> Call:
    for name in ("toolchain", "charts", "pyproject.toml", "uv.lock", "tasks.py"):
        (tmp_path / name).symlink_to(PROJECT / name)
    helm = tmp_path / "helm"
    helm.write_text(HELM.format(calls=tmp_path / "calls"), encoding="utf-8")
    helm.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FLOE_", "AWS_", "OTEL_"))}
    mine = {"FLOE_ROOT": str(tmp_path), "FLOE_TOOL_HELM": str(helm), "KUBECONFIG": str(kubeconfig)}

    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "invoke", *words],
            cwd=tmp_path,
            env=kept | mine | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def in_use(tmp_path: Path) -> Path:
    """A bare cluster that the cluster target has in use; its kubeconfig."""
    path = tmp_path / "bare.kubeconfig"
    Record("bare", str(path), "floe-bare", "floe-test", "floe", made_cluster=True).save(Layout(tmp_path / ".floe"))
    return path


def calls(folder: Path) -> list[tuple[str, str]]:
    """Each call of Helm: its kubeconfig and its context."""
    if not (folder / "calls").exists():
        return []
    lines = [line.split("|", 1) for line in (folder / "calls").read_text(encoding="utf-8").splitlines()]
    return [(file, (words.split("--kube-context ")[1:] or [""])[0].split(" ")[0]) for file, words in lines]


@pytest.mark.parametrize("words", REACHING)
def test_a_current_context_that_nobody_named_is_not_called(call: Call, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = call(*words)
    assert (done.returncode, calls(tmp_path)) == (2, [])
    assert "nobody said that it is meant" in done.stderr
    assert "next:  name it: --context production (FLOE_KUBE_CONTEXT)\n" in done.stderr


@pytest.mark.parametrize("words", REACHING)
def test_the_cluster_in_use_is_the_one_that_is_meant(
    call: Call, tmp_path: Path, in_use: Path, words: tuple[str, ...]
) -> None:
    done = call(*words)
    assert set(calls(tmp_path)) == {(str(in_use), "floe-bare")}
    assert done.stdout.splitlines()[0] == "floe in floe-test: context floe-bare of the cluster in use (bare)"


@pytest.mark.usefixtures("in_use")
@pytest.mark.parametrize("words", REACHING)
@pytest.mark.parametrize("by", ["option", "environment"])
def test_to_name_a_context_is_to_mean_it(
    call: Call, tmp_path: Path, kubeconfig: Path, words: tuple[str, ...], by: str
) -> None:
    done = call(*words, "--context", "other") if by == "option" else call(*words, FLOE_KUBE_CONTEXT="other")
    assert set(calls(tmp_path)) == {(str(kubeconfig), "other")}
    assert done.stdout.splitlines()[0] == f"floe in floe-test: context other of {kubeconfig}"


@pytest.mark.usefixtures("in_use")
def test_beside_json_the_cluster_is_said_on_standard_error(call: Call) -> None:
    done = call("helm.recover", "--json")
    assert (done.returncode, json.loads(done.stdout)["state"]) == (0, "absent")
    assert done.stderr.splitlines()[0] == "floe in floe-test: context floe-bare of the cluster in use (bare)"


def test_without_any_cluster_it_is_said_how_to_get_one(call: Call, tmp_path: Path) -> None:
    done = call("helm.recover", KUBECONFIG=str(tmp_path / "none"))
    assert (done.returncode, calls(tmp_path)) == (5, [])
    assert f"none is in use, and there is no kubeconfig at {tmp_path / 'none'}" in done.stderr
    assert "invoke platform.up --target cluster" in done.stderr


def test_what_needs_no_cluster_asks_for_none(call: Call, tmp_path: Path) -> None:
    call("helm.template")
    assert calls(tmp_path) == [(str(tmp_path / "mine.kubeconfig"), "")]
