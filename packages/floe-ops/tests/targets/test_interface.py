from __future__ import annotations

import pytest
from floe_core.errors import UsageError
from floe_ops import targets
from floe_ops.services import CLUSTER, LOCAL
from floe_ops.targets.cluster import ClusterTarget
from floe_ops.targets.local import LocalTarget


def test_the_local_target_is_taken_unless_another_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOE_TARGET", raising=False)
    assert isinstance(targets.current(), LocalTarget)
    monkeypatch.setenv("FLOE_TARGET", CLUSTER)
    assert isinstance(targets.current(), ClusterTarget)
    assert isinstance(targets.current(LOCAL), LocalTarget)


def test_a_target_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="no target named 'moon'") as refused:
        targets.current("moon")
    assert refused.value.why == "the targets are: local, cluster"
