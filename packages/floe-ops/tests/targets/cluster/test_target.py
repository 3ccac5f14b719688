"""The target where no cluster runs; what it does to a real one is shown in tests/e2e."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import MissingToolError, NotReadyError
from floe_ops.clients import helm
from floe_ops.clients.kubernetes import Kubernetes
from floe_ops.targets import lease
from floe_ops.targets.cluster import ClusterTarget, record
from floe_ops.targets.cluster.providers.bare import BareProvider
from floe_ops.targets.cluster.providers.context import ContextProvider

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
    assert not target.down()
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
    assert target.down()
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


@pytest.fixture
def touched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every place of a cluster that something is done to, in the place of the cluster."""
    places: list[str] = []

    class Helm:
        def __init__(self, place: helm.Place) -> None:
            self._namespace = place.namespace

        def within(self, _seconds: float) -> Helm:
            return self

        def uninstall(self, release: str) -> None:
            places.append(f"uninstall {self._namespace} {release}")

    def request(_self: Kubernetes, method: str, path: str, *_body: object, **_kind: object) -> dict[str, object]:
        places.append(f"{method} {path}")
        return {"metadata": {}, "items": []}

    monkeypatch.setattr(helm, "choose", Helm)
    monkeypatch.setattr(Kubernetes, "request", request)
    return places


def test_reset_and_down_touch_the_release_on_record_whatever_the_environment_names(
    target: ClusterTarget, layout: Layout, tmp_path: Path, touched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_use(layout, tmp_path / "x", made=False)
    monkeypatch.setenv("FLOE_NAMESPACE", "team-prod")
    monkeypatch.setenv("FLOE_RELEASE", "prod")
    assert target.down()
    target.reset()
    assert "uninstall floe-test floe" in touched
    assert len(touched) > 3
    assert not [place for place in touched if "prod" in place]


def interrupted(_self: BareProvider, _owner: str) -> None:
    raise NotReadyError("it does not come up")


def test_a_cluster_whose_up_was_interrupted_is_ended_and_deleted_like_any_other(
    target: ClusterTarget, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setenv("FLOE_CLUSTER", "bare")
    monkeypatch.setattr(BareProvider, "why_not", lambda _self: "")
    monkeypatch.setattr(BareProvider, "up", interrupted)
    monkeypatch.setattr(BareProvider, "stop", lambda _self: done.append("stop"))
    monkeypatch.setattr(BareProvider, "delete", lambda _self: done.append("delete"))
    monkeypatch.setattr(BareProvider, "runs", lambda _self: False)
    with pytest.raises(NotReadyError):
        target.ensure()
    assert target.holdings() == "the bare cluster with all that is in it"
    assert target.down()
    target.reset()
    assert done == ["stop", "delete"]
    assert not layout.record.exists()


@pytest.mark.parametrize("stops", [True, False])
def test_a_cluster_of_ours_is_stopped_when_another_is_taken_and_is_told_of(
    layout: Layout,
    kubeconfig: Callable[[str], Path],
    target: ClusterTarget,
    monkeypatch: pytest.MonkeyPatch,
    stops: bool,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(target, "_say", said.append)
    monkeypatch.setattr(BareProvider, "stop", (lambda _self: None) if stops else (lambda self: interrupted(self, "")))
    monkeypatch.setattr(Kubernetes, "version", lambda _self: interrupted(None, ""))  # type: ignore[arg-type] # unused
    in_use(layout, kubeconfig("https://127.0.0.1:9"), made=True)
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig("https://127.0.0.1:9")))
    monkeypatch.setenv("FLOE_KUBE_CONTEXT", "floe")
    with pytest.raises(NotReadyError):
        target.ensure()
    assert any(("is stopped with what it holds" if stops else "runs on: it does not come up") in line for line in said)
    found = record.load(layout)
    assert found is not None
    assert (found.provider, found.made_cluster, found.server) == ("context", False, "https://127.0.0.1:9")


def test_what_was_made_here_stays_so_for_the_very_same_release_alone(
    target: ClusterTarget, layout: Layout, kubeconfig: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kubeconfig("https://127.0.0.1:9")
    monkeypatch.setenv("KUBECONFIG", str(path))
    provider = ContextProvider(layout, print)
    record.Record("context", str(path), "floe", "floe-test", "floe", made_cluster=False, made_namespace=True).save(
        layout
    )
    assert target._wanted(provider, lease.DESK).made_namespace
    for name, value in (("FLOE_NAMESPACE", "team-prod"), ("FLOE_RELEASE", "prod"), ("KUBECONFIG", f"{path}:{path}")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert not target._wanted(provider, lease.DESK).made_namespace
