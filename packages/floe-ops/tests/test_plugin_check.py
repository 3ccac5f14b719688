"""What `plugins.check` reports: kept promises on this checkout, broken ones where something is planted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from floe_core.errors import FloeError, MissingToolError, WrongStateError
from floe_core.plugins import ABCS, PluginType
from floe_core.spec import SpecError
from floe_ops import plugin_check, project


def test_every_promise_is_kept_here() -> None:
    facts = list(plugin_check.check(project.root()))
    assert [fact for fact in facts if fact.error is not None] == []
    assert {"WU6-AC1", "WU6-AC2", "WU6-AC3", "WU6-AC6", "WU6-AC8"} <= {fact.criterion for fact in facts}
    assert str(len(PluginType)) in facts[0].evidence


def test_a_type_without_its_abc_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("floe_core.plugins.ABCS", {k: v for k, v in ABCS.items() if k is not PluginType.RBAC})
    with pytest.raises(WrongStateError, match="rbac"):
        plugin_check.types_have_abcs()


def test_a_type_with_the_abc_of_another_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("floe_core.plugins.ABCS", {**ABCS, PluginType.RBAC: ABCS[PluginType.QUALITY]})
    with pytest.raises(WrongStateError, match="quality"):
        plugin_check.types_have_abcs()


def test_no_product_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="demo"):
        plugin_check.products_compile(tmp_path)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The demo's written files, in a folder of their own; the manifest's path."""
    demo = project.root() / "demo"
    for path in (*demo.glob("*/floe.yaml"), demo / "manifest.yaml"):
        place = tmp_path / "demo" / path.relative_to(demo)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    return tmp_path / "demo" / "manifest.yaml"


def test_a_verdict_that_checked_nothing_is_a_failure(copied: Path) -> None:
    text = copied.read_text()
    assert "policy_enforcement_level: warn" in text
    copied.write_text(text.replace("policy_enforcement_level: warn", "policy_enforcement_level: off"))
    with pytest.raises(WrongStateError, match="without being checked"):
        plugin_check.products_compile(copied.parents[1])


def test_a_broken_manifest_is_one_fact_among_others(copied: Path) -> None:
    copied.write_text(copied.read_text().replace("type: duckdb", "type: duckbd"))
    facts = list(plugin_check.check(copied.parents[1]))
    (broken,) = [fact for fact in facts if fact.error is not None]
    assert broken.criterion == "WU6-AC6"
    assert isinstance(broken.error, SpecError)
    assert isinstance(broken.error, FloeError)
    assert "did you mean duckdb?" in str(broken.error)
