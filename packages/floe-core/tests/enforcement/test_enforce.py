"""Rules that are kept and rules that are not, at each level; only the chosen plugins are looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from floe_core.compilation import stages
from floe_core.enforcement import EnforcementResult, PolicyViolationError, Severity, Subject, enforce
from floe_core.plugins import PluginType
from floe_core.registry import PluginEntry, Registry
from floe_core.spec import EnforcementLevel
from floe_core.spec.governance import stricter

Edit = Callable[[Path, str, str], None]


def verdict(example: Path) -> EnforcementResult:
    loaded = stages.load(example / "orders")
    return enforce(Subject(loaded.product, loaded.manifest, stages.resolve(loaded, Registry()).plugins))


# what to change in the product, the policy that finds it, the field it names
BROKEN = [
    ("- name: gold_orders_by_day\n    tier", "- name: orders_by_day\n    tier", "naming", "transforms[2].name"),
    ("name: bronze_orders\n", "name: silver_raw_orders\n", "naming", "transforms[0].name"),
    ("  owner: sales-data\n", "", "ownership", "metadata"),
    ("  description: Orders by day.\n", "", "descriptions", "metadata"),
    ("    description: One row a day.\n    schema", "    schema", "descriptions", "outputPorts[0]"),
    ("    dependsOn: [silver_orders]\n", "", "dependencies", "transforms[2]"),
]


@pytest.fixture(params=BROKEN, ids=[f"{row[2]}-{row[3]}" for row in BROKEN])
def broken(request: pytest.FixtureRequest, example: Path, edit: Edit) -> tuple[Path, str, str]:
    old, new, policy, field = request.param
    path = example / "orders" / "floe.yaml"
    edit(path, old, new)
    if "bronze_orders" in old:
        edit(path, "dependsOn: [bronze_orders]", "dependsOn: [silver_raw_orders]")
    if "orders_by_day" in new:
        edit(path, "outputPorts:\n  - name: gold_orders_by_day", "outputPorts:\n  - name: orders_by_day")
    return example, policy, field


@pytest.mark.requirement("WU6-AC4", "WU6-AC7")
def test_every_rule_is_found_broken_and_the_level_decides(broken: tuple[Path, str, str], edit: Edit) -> None:
    example, policy, field = broken
    manifest = example / "manifest.yaml"
    warned = verdict(example)
    (finding,) = warned.findings
    assert (finding.policy_type, finding.problem.field, finding.severity) == (policy, field, Severity.WARNING)
    assert finding.problem.line > 0
    assert finding.problem.remedy
    assert (warned.summary.passed, warned.summary.error_count, warned.summary.warning_count) == (True, 0, 1)

    edit(manifest, "policy_enforcement_level: warn", "policy_enforcement_level: strict")
    strict = verdict(example)
    assert (strict.summary.passed, strict.summary.error_count, strict.summary.warning_count) == (False, 1, 0)

    edit(manifest, "policy_enforcement_level: strict", "policy_enforcement_level: off")
    off = verdict(example).summary
    assert (off.passed, off.warning_count, off.policy_types_checked, off.models_validated) == (True, 0, (), 0)
    assert off.enforcement_level is EnforcementLevel.OFF
    assert {one.why for one in off.checks_not_run} == {"the level is off"}


def test_a_sound_product_passes_strict(example: Path, edit: Edit) -> None:
    edit(example / "manifest.yaml", "policy_enforcement_level: warn", "policy_enforcement_level: strict")
    summary = verdict(example).summary
    assert (summary.passed, summary.error_count, summary.warning_count) == (True, 0, 0)
    assert summary.models_validated == 3
    assert summary.policy_types_checked == (
        "dependencies",
        "descriptions",
        "literal_secrets",
        "naming",
        "ownership",
        "plugin_instrumentation",
    )


@pytest.mark.requirement("WU6-BC2")
def test_without_governance_the_level_is_warn_and_there_is_a_result(example: Path, edit: Edit) -> None:
    path = example / "manifest.yaml"
    path.write_text(path.read_text().partition("governance:")[0])
    edit(example / "orders" / "floe.yaml", "  owner: sales-data\n", "")
    summary = verdict(example).summary
    assert (summary.enforcement_level, summary.passed, summary.warning_count) == (EnforcementLevel.WARN, True, 1)


@pytest.mark.parametrize(
    ("platform", "product", "level"),
    [
        ("off", "strict", "strict"),
        ("strict", "off", "strict"),
        ("warn", "off", "warn"),
        ("off", None, "off"),
        (None, "off", "off"),
        (None, None, "warn"),
    ],
)
def test_the_stricter_level_wins(platform: str | None, product: str | None, level: str) -> None:
    given = [None if word is None else EnforcementLevel(word) for word in (platform, product)]
    assert stricter(*given) is EnforcementLevel(level)


def test_a_product_may_be_stricter_than_its_platform(example: Path) -> None:
    path = example / "orders" / "floe.yaml"
    path.write_text(
        path.read_text().replace("  owner: sales-data\n", "") + "governance: {policy_enforcement_level: strict}\n"
    )
    with pytest.raises(PolicyViolationError) as caught:
        stages.enforce(loaded := stages.load(example / "orders"), stages.resolve(loaded, Registry()))
    assert caught.value.result.summary.enforcement_level is EnforcementLevel.STRICT
    assert "nobody answers" in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "policy"),
    [("require_owners", "ownership"), ("require_descriptions", "descriptions"), ("require_depends_on", "dependencies")],
)
def test_a_rule_that_is_not_asked_for_is_told_as_not_run(example: Path, edit: Edit, rule: str, policy: str) -> None:
    edit(example / "manifest.yaml", "governance:\n", f"governance:\n  {rule}: false\n")
    summary = verdict(example).summary
    assert policy not in summary.policy_types_checked
    assert f"governance.{rule} is false" in {one.why for one in summary.checks_not_run}


def test_descriptions_of_models_are_told_as_not_run(example: Path) -> None:
    assert "model_descriptions" in {one.policy_type for one in verdict(example).summary.checks_not_run}


def test_custom_patterns_replace_the_convention(example: Path, edit: Edit) -> None:
    edit(example / "manifest.yaml", "pattern: medallion", "pattern: custom\n    patterns: {gold: 'g_.*'}")
    assert [finding.problem.field for finding in verdict(example).findings] == ["transforms[2].name"]


SILENT = """
    from floe_core.plugins import QualityPlugin

    class Plugin(QualityPlugin):
        name, version, floe_api_version = "silent", "1.2.3", "1.0"

        def evaluate(self, result):
            raise NotImplementedError
"""


@pytest.mark.requirement("WU6-BC1")
def test_an_uninstrumented_plugin_is_a_warning_and_only_when_chosen(
    example: Path, edit: Edit, plugin_module: Callable[..., PluginEntry]
) -> None:
    registry = Registry([*Registry().entries(), plugin_module(PluginType.QUALITY, "silent", SILENT)])
    edit(example / "manifest.yaml", "policy_enforcement_level: warn", "policy_enforcement_level: strict")

    def found() -> list[tuple[str, str, Severity]]:
        loaded = stages.load(example / "orders")
        result = stages.enforce(loaded, stages.resolve(loaded, registry))
        return [(one.policy_type, one.problem.field, one.severity) for one in result.findings]

    assert found() == []
    edit(example / "manifest.yaml", "  telemetry_backend:", "  quality: {type: silent}\n  telemetry_backend:")
    assert found() == [("plugin_instrumentation", "plugins.quality.type", Severity.WARNING)]
