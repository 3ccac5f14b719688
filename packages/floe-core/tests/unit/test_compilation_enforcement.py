"""T36: what ENFORCE finds reaches the artifacts of the demo products, and a pipeline that loses it is caught."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from floe_core.compilation import Bundle, CompiledArtifacts, compile_product, stages
from floe_core.enforcement import CHECKS, EnforcementResultSummary, PolicyViolationError
from floe_core.plugins import PluginType
from floe_core.registry import PluginEntry, Registry

DEMO = Path(__file__).parents[4] / "demo"
PRODUCTS = sorted(path.parent.name for path in DEMO.glob("*/floe.yaml"))
Edit = Callable[[Path, str, str], None]


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A copy of the demo to change; without what a build left there."""
    return Path(shutil.copytree(DEMO, tmp_path / "demo", ignore=shutil.ignore_patterns("target", "*.duckdb")))


@pytest.fixture
def unowned(demo: Path, edit: Edit) -> Path:
    """The demo's customer-360 with nobody who answers for it."""
    edit(demo / "customer-360" / "floe.yaml", "  owner: customer-analytics\n  labels", "  labels")
    return demo


def verdict(demo: Path, registry: Registry | None = None) -> EnforcementResultSummary:
    return compile_product(demo / "customer-360", registry=registry).enforcement_result


def at_level(demo: Path, edit: Edit, level: str) -> None:
    edit(demo / "manifest.yaml", "policy_enforcement_level: warn", f"policy_enforcement_level: {level}")


@pytest.mark.requirement("WU6-AC4", "WU6-AC5", "WU6-AC6", "WU6-BC3")
@pytest.mark.parametrize("name", PRODUCTS)
def test_the_artifacts_of_every_demo_product_carry_the_verdict(demo: Path, name: str, tmp_path: Path) -> None:
    output = tmp_path / "compiled_artifacts.json"
    compile_product(demo / name, output=output)
    kept = json.loads(output.read_text(encoding="utf-8"))
    result = kept["enforcement_result"]
    assert result is not None
    assert (result["passed"], result["error_count"], result["enforcement_level"]) == (True, 0, "warn")
    assert result["models_validated"] == len(kept["models"]) > 0
    # Every check is accounted for once: looked at something, or told why not.
    checked, skipped = result["policy_types_checked"], [one["policy_type"] for one in result["checks_not_run"]]
    assert sorted([*checked, *skipped]) == sorted(check.policy_type for check in CHECKS)
    assert {"naming", "ownership", "descriptions", "plugin_instrumentation"} <= set(checked)
    assert {name: count > 0 for name, count in result["looked_at"].items()} == dict.fromkeys(checked, True)
    assert all(one["why"] for one in result["checks_not_run"])


@pytest.mark.requirement("WU6-AC6")
def test_there_are_demo_products() -> None:
    assert "customer-360" in PRODUCTS


@pytest.mark.requirement("WU6-AC7")
def test_warn_passes_and_counts(unowned: Path) -> None:
    result = verdict(unowned)
    assert (result.passed, result.error_count, result.warning_count) == (True, 0, 1)
    (finding,) = result.findings
    assert (finding.policy_type, finding.code, finding.file) == ("ownership", "FLOE-E303", "floe.yaml")
    assert finding.line > 0


@pytest.mark.requirement("WU6-AC7")
def test_strict_fails_on_the_same_input_and_writes_nothing(unowned: Path, edit: Edit, tmp_path: Path) -> None:
    at_level(unowned, edit, "strict")
    with pytest.raises(PolicyViolationError) as caught:
        compile_product(unowned / "customer-360", output=tmp_path / "artifacts.json")
    result = caught.value.result.summary
    assert (result.passed, result.error_count, result.warning_count) == (False, 1, 0)
    assert "FLOE-E303" in str(caught.value)
    assert not (tmp_path / "artifacts.json").exists()


@pytest.mark.requirement("WU6-AC7")
def test_off_looks_at_nothing_and_says_so(unowned: Path, edit: Edit) -> None:
    at_level(unowned, edit, "off")
    result = verdict(unowned)
    assert (result.passed, result.warning_count, result.enforcement_level) == (True, 0, "off")
    assert (result.policy_types_checked, result.looked_at, result.models_validated) == ((), {}, 0)
    assert {one.policy_type: one.why for one in result.checks_not_run} == {
        check.policy_type: "the level is off" for check in CHECKS
    }


SILENT = """
    from floe_compute_duckdb.plugin import DuckDBComputePlugin

    class Plugin(DuckDBComputePlugin):
        name, tracer_name = "silent", None
"""


@pytest.mark.requirement("WU6-BC1")
@pytest.mark.parametrize("level", ["warn", "strict"])
def test_an_uninstrumented_plugin_is_a_warning_at_every_level(
    demo: Path, edit: Edit, plugin_module: Callable[..., PluginEntry], level: str
) -> None:
    registry = Registry([*Registry().entries(), plugin_module(PluginType.COMPUTE, "silent", SILENT)])
    at_level(demo, edit, level)
    assert verdict(demo, registry).warning_count == 0, "a plugin that is installed and not chosen is not looked at"
    edit(demo / "manifest.yaml", "type: duckdb", "type: silent")
    result = verdict(demo, registry)
    assert (result.passed, result.error_count, result.warning_count) == (True, 0, 1)
    assert [(one.policy_type, one.severity) for one in result.findings] == [("plugin_instrumentation", "warning")]


@pytest.mark.requirement("WU6-BC2")
def test_without_governance_the_level_is_warn_and_there_is_a_verdict(unowned: Path) -> None:
    path = unowned / "manifest.yaml"
    path.write_text(path.read_text(encoding="utf-8").partition("\ngovernance:")[0] + "\n", encoding="utf-8")
    result = verdict(unowned)
    assert (result.enforcement_level, result.passed, result.warning_count) == ("warn", True, 1)
    assert "ownership" in result.policy_types_checked


@pytest.mark.requirement("WU6-BC3")
def test_artifacts_without_a_verdict_cannot_be_made_or_read(demo: Path) -> None:
    made = compile_product(demo / "customer-360")
    whole = json.loads(made.to_json())
    for broken in (
        {**whole, "enforcement_result": None},
        {k: v for k, v in whole.items() if k != "enforcement_result"},
    ):
        with pytest.raises(ValueError, match="enforcement_result"):
            CompiledArtifacts.model_validate(broken)


@pytest.mark.requirement("WU6-BC3")
def test_a_stage_that_loses_the_verdict_fails_the_compilation(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate = stages.generate

    def losing(loaded: stages.Loaded, resolved: stages.Resolved, result: object, *rest: object) -> Bundle:
        class Lost:
            summary = None

        return generate(loaded, resolved, Lost(), *rest)  # type: ignore[arg-type] # the fault that is planted

    monkeypatch.setattr(stages, "generate", losing)
    with pytest.raises(ValueError, match="enforcement_result"):
        compile_product(demo / "customer-360")
