"""Which cluster is taken, and why others are not; no cluster is touched."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import MissingToolError, UsageError
from floe_ops.targets.cluster import record
from floe_ops.targets.cluster.providers import choose, named
from floe_ops.targets.cluster.providers.bare import BareProvider
from floe_ops.targets.cluster.providers.context import ContextProvider
from floe_ops.targets.cluster.providers.kind import KindProvider

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from floe_ops.targets.cluster.layout import Layout


@pytest.fixture(autouse=True)
def _nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No kubeconfig, no kind, no docker, and a user for whom there is no bare cluster."""
    for name in ("FLOE_CLUSTER", "FLOE_KUBE_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin", "bare-cluster", """echo '{"lacks": []}'""")


def quiet(_line: str) -> None:
    """Hear nothing."""


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_where_none_can_be_had_each_says_why(layout: Layout, tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="no Kubernetes to install into") as missing:
        choose(layout, quiet)
    assert f"context: there is no kubeconfig at {tmp_path / 'none'}" in missing.value.why
    assert "kind: kind and docker not on PATH" in missing.value.why
    assert "bare: it wants root" in missing.value.why


def test_the_current_context_comes_first(
    layout: Layout, kubeconfig: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig("https://127.0.0.1:1")))
    assert isinstance(choose(layout, quiet), ContextProvider)


def test_then_kind_where_an_engine_answers(layout: Layout, tmp_path: Path) -> None:
    program(tmp_path, "kind", "exit 0")
    program(tmp_path, "docker", "echo Cannot connect to the Docker daemon >&2; exit 1")
    with pytest.raises(MissingToolError) as missing:
        choose(layout, quiet)
    assert "kind: Cannot connect to the Docker daemon" in missing.value.why
    program(tmp_path, "docker", "echo 28.0")
    said: list[str] = []
    assert isinstance(choose(layout, said.append), KindProvider)
    assert said == [f"not context: there is no kubeconfig at {tmp_path / 'none'}"]


def test_then_the_bare_one(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    said: list[str] = []
    assert isinstance(choose(layout, said.append), BareProvider)
    assert [line.split(":")[0] for line in said] == ["not context", "not kind"]


def test_one_can_be_forced_and_no_other_is_taken_then(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOE_CLUSTER", "kind")
    with pytest.raises(MissingToolError) as missing:
        choose(layout, quiet)
    assert missing.value.where == "FLOE_CLUSTER=kind"
    assert "bare" not in missing.value.why
    monkeypatch.setenv("FLOE_CLUSTER", "nomad")
    with pytest.raises(UsageError, match="no cluster of the kind 'nomad'"):
        choose(layout, quiet)


def test_the_cluster_in_use_is_kept(
    layout: Layout, kubeconfig: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig("https://127.0.0.1:1")))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    record.Record("bare", "x", "bare", "floe-test", "floe", made_cluster=True).save(layout)
    assert isinstance(choose(layout, quiet), BareProvider)
    monkeypatch.setenv("FLOE_KUBE_CONTEXT", "floe")
    assert isinstance(choose(layout, quiet), ContextProvider)


def test_a_context_that_nobody_named_is_not_touched(
    layout: Layout, kubeconfig: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kubeconfig("https://127.0.0.1:1")
    monkeypatch.setenv("KUBECONFIG", str(path))
    provider = named("context", layout, quiet)
    with pytest.raises(UsageError, match="not touched without being asked for") as refused:
        provider.up("desk")
    assert refused.value.exit_code == 2
    assert "--context floe" in refused.value.remedy
    monkeypatch.setenv("FLOE_KUBE_CONTEXT", "floe")
    access = provider.up("desk")
    assert (access.kubeconfig, access.context) == (path, "floe")
    monkeypatch.delenv("FLOE_KUBE_CONTEXT")
    server = "https://127.0.0.1:1"
    before = record.Record("context", str(path), "floe", "floe-test", "floe", made_cluster=False, server=server)
    before.save(layout)
    assert provider.up("desk").context == "floe"  # it was named when it was first used
    for other in (
        replace(before, server="https://127.0.0.1:2"),
        replace(before, server=""),
        replace(before, kubeconfig="elsewhere"),
        replace(before, context="old"),
    ):
        other.save(layout)
        with pytest.raises(UsageError, match="not touched without being asked for"):
            provider.up("desk")


def test_a_cluster_that_was_not_made_here_is_neither_stopped_nor_deleted(layout: Layout) -> None:
    provider = named("context", layout, quiet)
    assert not provider.makes
    provider.load([])
    provider.stop()
    provider.let_go(set())
    provider.delete()
