from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.errors import UsageError
from floe_ops.targets.cluster import installing
from floe_ops.targets.cluster.providers import named

if TYPE_CHECKING:
    from pathlib import Path

    from floe_ops.targets.cluster.layout import Layout


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    (tmp_path / "chart" / "templates").mkdir(parents=True)
    (tmp_path / "chart" / "tests").mkdir()
    (tmp_path / "chart" / "values.yaml").write_text("a: 1")
    (tmp_path / "chart" / "templates" / "x.yaml").write_text("kind: X")
    return tmp_path / "chart"


def test_every_file_of_the_chart_and_every_value_is_in_the_fingerprint(chart: Path) -> None:
    first = installing.fingerprint(chart, {"a": {"tag": "1"}})
    assert installing.fingerprint(chart, {"a": {"tag": "1"}}) == first
    assert installing.fingerprint(chart, {"a": {"tag": "2"}}) != first
    (chart / "templates" / "x.yaml").write_text("kind: Y")
    assert installing.fingerprint(chart, {"a": {"tag": "1"}}) != first


def test_the_charts_own_tests_are_not(chart: Path) -> None:
    first = installing.fingerprint(chart, {})
    (chart / "tests" / "x_test.yaml").write_text("suite: x")
    assert installing.fingerprint(chart, {}) == first


def test_a_cluster_that_was_not_made_here_pulls_the_charts_own_images(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLOE_IMAGES", raising=False)
    assert installing.images(named("context", layout, print)) == ([], {})
    monkeypatch.setenv("FLOE_IMAGES", "registry")
    assert installing.images(named("kind", layout, print)) == ([], {})
    monkeypatch.setenv("FLOE_IMAGES", "stolen")
    with pytest.raises(UsageError, match="no such images"):
        installing.images(named("kind", layout, print))
