"""The words that kind and Docker are called with, written down by programs in their place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from floe_core.errors import FloeError, NotReadyError
from floe_ops.targets.cluster.layout import Layout
from floe_ops.targets.cluster.providers import kind, programs
from floe_ops.targets.cluster.providers.kind import KindProvider

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
    assert (access.kubeconfig, access.context) == (layout.kind, f"kind-{provider.cluster}")
    assert layout.kind.stat().st_mode & 0o777 == 0o600
    assert [line.split()[:3] for line in made(calls)] == [["kind", "create", "cluster"]]


def test_starts_the_container_of_one_that_was_stopped(calls: Path, provider: KindProvider) -> None:
    calls.with_suffix(".state").write_text("exited\n", encoding="utf-8")
    assert not provider.runs()
    provider.up("desk")
    assert made(calls)[0] == f"docker start {provider.cluster}-control-plane"
    assert made(calls)[1].startswith(f"kind export kubeconfig --name {provider.cluster} ")


def test_stops_and_deletes_its_own_and_loads_archives(
    calls: Path, provider: KindProvider, layout: Layout, tmp_path: Path
) -> None:
    provider.up("desk")
    calls.write_text("", encoding="utf-8")
    calls.with_suffix(".state").write_text("running\n", encoding="utf-8")
    provider.load([tmp_path / "a.tar"])
    provider.stop()
    provider.delete()
    assert made(calls) == [
        f"kind load image-archive {tmp_path}/a.tar --name {provider.cluster}",
        f"docker stop {provider.cluster}-control-plane",
        f"kind delete cluster --name {provider.cluster}",
    ]
    assert not layout.kind.exists()
    assert not layout.kind_made.exists()


def test_a_program_that_fails_is_named_with_its_last_words(calls: Path, provider: KindProvider) -> None:
    calls.with_name("kind").write_text("#!/bin/sh\necho ERROR: no space >&2; exit 1\n", encoding="utf-8")
    with pytest.raises(FloeError, match="kind could not make a cluster") as failed:
        provider.up("desk")
    assert "it ended with 1: ERROR: no space" in failed.value.why


def test_each_checkout_has_a_cluster_of_its_own_and_keeps_it_when_it_is_moved(
    calls: Path, provider: KindProvider, layout: Layout, tmp_path: Path
) -> None:
    assert provider.makes  # there is none yet
    assert re.fullmatch("floe-[0-9a-f]{8}", provider.cluster)
    assert KindProvider(Layout(tmp_path / "other" / ".floe"), print).cluster != provider.cluster
    provider.up("desk")
    moved = layout.state.parent / "moved"
    moved.mkdir()
    layout.state.rename(moved / ".floe")
    assert KindProvider(Layout(moved / ".floe"), print).cluster == provider.cluster


def test_a_cluster_of_that_name_that_was_not_made_here_is_used_and_never_deleted(calls: Path, layout: Layout) -> None:
    said: list[str] = []
    provider = KindProvider(layout, said.append)
    calls.with_suffix(".state").write_text("running\n", encoding="utf-8")
    assert not provider.makes
    provider.up("desk")
    provider.delete()
    assert [line.split()[:2] for line in made(calls)] == [["kind", "export"]]
    assert said == [
        f"kind: the cluster {provider.cluster} was not made here: it is used, and never deleted",
        f"the cluster {provider.cluster} of kind was not made here and stays",
    ]


@pytest.mark.parametrize("error", [NotReadyError("too slow"), KeyboardInterrupt(), FloeError("failed")])
def test_a_half_made_cluster_is_deleted_whatever_ended_it(
    calls: Path, provider: KindProvider, layout: Layout, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    plain = programs.run

    def run(words: list[str], timeout_s: float, *, what: str) -> str:
        said = plain(words, timeout_s, what=what)
        if words[1] == "create":
            raise error
        return said

    monkeypatch.setattr(kind, "run", run)
    with pytest.raises(type(error)):
        provider.up("desk")
    assert made(calls)[-1] == f"kind delete cluster --name {provider.cluster}"
    assert not layout.kind_made.exists()


def test_a_half_made_cluster_that_cannot_be_deleted_stays_ours(
    calls: Path, provider: KindProvider, layout: Layout
) -> None:
    calls.with_name("kind").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    with pytest.raises(FloeError, match="kind could not make a cluster"):
        provider.up("desk")
    calls.with_suffix(".state").write_text("running\n", encoding="utf-8")
    assert KindProvider(layout, print).makes
