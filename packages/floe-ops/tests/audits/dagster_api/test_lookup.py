"""Against the installed Dagster: the audit's own claims about it are checked here."""

from __future__ import annotations

import pytest
from floe_ops.audits.dagster_api import lookup
from floe_ops.audits.dagster_api.model import Fact, Role, Use


def facts(symbol: str, role: Role = "attribute", keywords: tuple[str, ...] = (), positional: int = 0) -> list[Fact]:
    return lookup.facts(Use("m.py", 1, symbol, role, keywords, positional))


def lifecycles(symbol: str, role: Role = "call", keywords: tuple[str, ...] = (), positional: int = 0) -> dict[str, str]:
    return {fact.parameter: fact.lifecycle for fact in facts(symbol, role, keywords, positional)}


@pytest.mark.parametrize(
    ("symbol", "lifecycle"),
    [
        ("dagster.asset", "ga"),
        ("dagster.AssetKey.from_user_string", "ga"),
        ("dagster.components", "ga"),
        ("dagster.SourceAsset", "deprecated"),
        ("dagster.StepLauncher", "superseded"),
        ("dagster.migrate_io_storage", "preview"),
        ("dagster.MultiPartitionMapping", "beta"),
        ("dagster._core.storage", "private"),
        ("dagster.NoSuchName", "missing"),
        ("dagster.AssetKey.no_such_method", "missing"),
        ("dagster.nowhere.deep", "missing"),
        ("dagster_absent.anything", "missing"),
        ("dagster.*", "hidden"),
        ("dagster.AssetExecutionContext().log", "ga"),
        ("dagster.AssetExecutionContext().run_id", "deprecated"),
        ("dagster.AssetExecutionContext().no_such_field", "missing"),
    ],
)
def test_a_name_has_the_lifecycle_that_dagster_says(symbol: str, lifecycle: str) -> None:
    assert [fact.lifecycle for fact in facts(symbol)] == [lifecycle]


def test_a_mark_carries_version_and_advice() -> None:
    (fact,) = facts("dagster.SourceAsset")
    assert fact.breaking_version == "2.0.0"
    assert "AssetSpec" in fact.note


def test_a_mark_on_a_class_is_told_as_inherited_below_it() -> None:
    (fact,) = facts("dagster.TemplatedSqlComponent")
    assert fact.lifecycle == "preview"
    assert "inherited from SqlComponent" in fact.note


def test_parameters_by_keyword_and_by_position() -> None:
    assert lifecycles("dagster.asset", keywords=("name", "compute_kind")) == {
        "": "ga",
        "name": "ga",
        "compute_kind": "deprecated",
    }
    assert lifecycles("dagster.AssetKey", positional=1) == {"": "ga", "path": "ga"}


def test_a_parameter_that_is_not_there_is_found_also_behind_kwargs() -> None:
    assert lifecycles("dagster.define_asset_job", keywords=("shiny",))["shiny"] == "missing"
    assert lifecycles("dagster.asset", keywords=("shiny",))["shiny"] == "missing"  # **kwargs is for old ones only
    assert lifecycles("dagster.asset", keywords=("legacy_freshness_policy",)) == {
        "": "ga",
        "legacy_freshness_policy": "deprecated",
    }


def test_a_method_of_an_instance_does_not_count_self() -> None:
    assert lifecycles("dagster.AssetsDefinition().get_attributes_dict", positional=0) == {"": "ga"}
    assert lifecycles("dagster.AssetKey().with_prefix", positional=1) == {"": "ga", "prefix": "ga"}


def test_an_override_is_reported_only_when_the_base_is_marked() -> None:
    assert facts("dagster.IOManager.load_input", "override") == []
    assert facts("dagster.IOManager.my_own_method", "override") == []
    (fact,) = facts("dagster.AssetExecutionContext.run_id", "override")
    assert fact.lifecycle == "deprecated"


def test_where_types_end_nothing_is_claimed() -> None:
    assert facts("dagster.define_asset_job().anything") == []


def test_a_name_that_warns_when_touched_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    import dagster

    def loud(name: str) -> object:
        import warnings

        warnings.warn(f"{name} is going", DeprecationWarning, stacklevel=2)
        return object()

    monkeypatch.setattr(dagster, "__getattr__", loud)
    lookup.find.cache_clear()
    assert [fact.lifecycle for fact in facts("dagster.Going")] == ["ga", "warning", "warning"]
