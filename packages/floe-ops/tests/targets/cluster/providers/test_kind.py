"""The words that kind and Docker are called with, written down by programs in their place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import FloeError
from floe_ops.targets.cluster.providers.kind import CONTEXT, KindProvider

if TYPE_CHECKING:
    from floe_ops.targets.cluster.layout import Layout

DOCKER = """
echo "docker $*" >> "$0.calls"
case "$1 $2" in "container ls") cat "$0.state";; esac
"""
KIND = """
echo "kind $*" >> "$(dirname "$0")/docker.calls"
while [ $# -gt 0 ]; do [ "$1" = --kubeconfig ] && : > "$2"; shift; done
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in (("docker", DOCKER), ("kind", KIND)):
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        path.chmod(0o755)
    (tmp_path / "docker.state").write_text("", encoding="utf-8")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "docker.calls"


@pytest.fixture
def provider(layout: Layout) -> KindProvider:
    return KindProvider(layout, lambda _line: None)


def made(calls: Path) -> list[str]:
    return [
        line for line in calls.read_text(encoding="utf-8").splitlines() if " ls " not in line and "version" not in line
    ]


def test_makes_a_cluster_once_and_closes_its_kubeconfig(calls: Path, provider: KindProvider, layout: Layout) -> None:
    access = provider.up("desk")
    assert (access.kubeconfig, access.context) == (layout.kind, CONTEXT)
    assert layout.kind.stat().st_mode & 0o777 == 0o600
    assert [line.split()[:3] for line in made(calls)] == [["kind", "create", "cluster"]]


def test_starts_the_container_of_one_that_was_stopped(calls: Path, provider: KindProvider) -> None:
    calls.with_suffix(".state").write_text("exited\n", encoding="utf-8")
    assert not provider.runs()
    provider.up("desk")
    assert made(calls)[0] == "docker start floe-control-plane"
    assert made(calls)[1].startswith("kind export kubeconfig --name floe")


def test_stops_and_deletes_its_own_and_loads_archives(calls: Path, provider: KindProvider, tmp_path: Path) -> None:
    calls.with_suffix(".state").write_text("running\n", encoding="utf-8")
    provider.load([tmp_path / "a.tar"])
    provider.stop()
    provider.delete()
    assert made(calls) == [
        f"kind load image-archive {tmp_path}/a.tar --name floe",
        "docker stop floe-control-plane",
        "kind delete cluster --name floe",
    ]


def test_a_program_that_fails_is_named_with_its_last_words(calls: Path, provider: KindProvider) -> None:
    calls.with_name("kind").write_text("#!/bin/sh\necho ERROR: no space >&2; exit 1\n", encoding="utf-8")
    with pytest.raises(FloeError, match="kind could not make a cluster") as failed:
        provider.up("desk")
    assert "it ended with 1: ERROR: no space" in failed.value.why
