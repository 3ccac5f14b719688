"""The target where no cluster runs; what it does to a real one is shown in tests/e2e."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import MissingToolError
from floe_ops.targets import lease
from floe_ops.targets.cluster import ClusterTarget, record
from floe_ops.targets.cluster.providers.bare import BareProvider

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from floe_ops.targets.cluster.layout import Layout


@pytest.fixture
def target(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterTarget:
    for name in ("FLOE_CLUSTER", "FLOE_KUBE_CONTEXT", "FLOE_RUN_PID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FLOE_ROOT", str(tmp_path))
    return ClusterTarget()


def in_use(layout: Layout, kubeconfig: Path, *, made: bool, ends: bool = False) -> None:
    name: record.ProviderName = "bare" if made else "context"
    record.Record(name, str(kubeconfig), "floe", "floe-test", "floe", made_cluster=made, ends_with_owners=ends).save(
        layout
    )


def test_where_no_cluster_was_taken_nothing_runs_and_nothing_is_there_to_end(target: ClusterTarget) -> None:
    assert target.find() is None
    assert {row.state for row in target.status()} == {"down"}
    assert target.holdings() == "nothing: no cluster is in use"
    with pytest.raises(MissingToolError, match="there are no logs"):
        list(target.logs("", 1, follow=False))
    target.down()
    target.release(4711)
    target.reset()


def test_a_stopped_cluster_of_ours_has_no_kubeconfig_and_is_down(
    target: ClusterTarget, layout: Layout, tmp_path: Path
) -> None:
    in_use(layout, tmp_path / "gone", made=True)
    assert target.find() is None
    assert {row.state for row in target.status()} == {"down"}
    cluster = next(finding for finding in target.doctor() if finding.what == "cluster")
    assert (cluster.state, "it is stopped" in cluster.seen) == ("note", True)


def test_a_cluster_that_does_not_answer_is_down(
    target: ClusterTarget, layout: Layout, kubeconfig: Callable[[str], Path]
) -> None:
    in_use(layout, kubeconfig("https://127.0.0.1:9"), made=True)
    assert {row.state for row in target.status()} == {"down"}


def test_down_stops_a_cluster_of_ours_and_reset_deletes_it(
    target: ClusterTarget, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(BareProvider, "stop", lambda _self: done.append("stop"))
    monkeypatch.setattr(BareProvider, "delete", lambda _self: done.append("delete"))
    in_use(layout, tmp_path / "gone", made=True)
    lease.add(layout.owners, lease.DESK)
    assert target.holdings() == "the bare cluster with all that is in it"
    target.down()
    assert done == ["stop"]
    assert lease.living(layout.owners) == set()
    assert layout.record.exists()
    target.reset()
    assert done == ["stop", "delete"]
    assert not layout.record.exists()


@pytest.mark.parametrize("ends", [True, False])
def test_the_last_owner_takes_a_cluster_along_that_was_started_for_runs(
    target: ClusterTarget, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    let_go: list[set[str]] = []
    monkeypatch.setattr(BareProvider, "let_go", lambda _self, gone: let_go.append(gone))
    in_use(layout, tmp_path / "gone", made=True, ends=ends)
    lease.add(layout.owners, str(os.getpid()))
    lease.add(layout.owners, str(os.getppid()))
    target.release(os.getppid())
    assert let_go == []  # one owner is left
    target.release(os.getpid())
    assert let_go == ([{str(os.getpid())}] if ends else [])
