"""From a written product to its artifacts, by the installed command line.

Every demo product, and variations of customer-360 in which one rule is broken, at each level of enforcement. Needs no
service. No expected failure: what is promised here is held.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from floe_core.compilation import CompiledArtifacts, compile_product
from floe_core.enforcement import CHECKS, PolicyViolationError
from floe_core.errors import ExitCode
from floe_ops import project

pytestmark = pytest.mark.duckdb

DEMO = project.root() / "demo"
PRODUCTS = sorted(path.parent for path in DEMO.glob("*/floe.yaml"))
CUSTOMER_360 = DEMO / "customer-360"
Content = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A product and a manifest of our own, made of customer-360's.

    Attributes:
        folder: Where both lie.
        product: The content of `floe.yaml`.
        manifest: The content of `manifest.yaml`.
    """

    folder: Path
    product: Content
    manifest: Content

    def write(self, level: str | None) -> Path:
        """Write both with this level (None: no governance at all); the product's folder."""
        manifest = copy.deepcopy(self.manifest)
        if level is None:
            manifest.pop("governance", None)
        else:
            manifest.setdefault("governance", {})["policy_enforcement_level"] = level
        for path, content in (("manifest.yaml", manifest), ("product/floe.yaml", self.product)):
            place = self.folder / path
            place.parent.mkdir(exist_ok=True)
            place.write_text(yaml.safe_dump(content), encoding="utf-8")
        return self.folder / "product"


@pytest.fixture
def case(tmp_path: Path) -> Case:
    read = [yaml.safe_load(path.read_text()) for path in (CUSTOMER_360 / "floe.yaml", DEMO / "manifest.yaml")]
    return Case(tmp_path, *read)


def floe(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the installed command line."""
    program = Path(sys.executable).with_name("floe")
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=60, check=False)


def unowned(product: Content) -> None:
    del product["metadata"]["owner"]


def undescribed(product: Content) -> None:
    del product["metadata"]["description"]


def misnamed(product: Content) -> None:
    bronze = next(one for one in product["transforms"] if one["tier"] == "bronze")
    old, bronze["name"] = bronze["name"], "customers"
    for one in product["transforms"]:
        one["dependsOn"] = ["customers" if name == old else name for name in one.get("dependsOn", [])]


def undeclared(product: Content) -> None:
    gold = [one for one in product["transforms"] if one["tier"] == "gold"]
    del gold[-1]["dependsOn"]


BROKEN = [("ownership", unowned), ("descriptions", undescribed), ("naming", misnamed), ("dependencies", undeclared)]
broken = pytest.mark.parametrize(("policy", "breaks"), BROKEN, ids=[policy for policy, _ in BROKEN])


@pytest.mark.requirement("WU6-AC6")
@pytest.mark.parametrize("product", PRODUCTS, ids=lambda path: path.name)
def test_every_demo_product_has_a_verdict(product: Path, tmp_path: Path) -> None:
    output = tmp_path / "artifacts.json"
    done = floe("compile", product, "--output", output)
    assert done.returncode == ExitCode.OK, done.stderr
    kept = json.loads(output.read_text())
    verdict = kept["enforcement_result"]
    assert verdict is not None
    assert verdict["passed"] is True
    assert len(verdict["policy_types_checked"]) >= 1
    assert verdict["models_validated"] == len(kept["models"]) > 0
    models = {path.stem for path in (product / "models").rglob("*.sql")}
    assert {model["name"] for model in kept["models"]} == models


@pytest.mark.requirement("WU6-AC6", "WU6-BC3")
def test_a_pipeline_that_loses_the_verdict_cannot_make_artifacts(case: Case) -> None:
    kept = json.loads(compile_product(case.write("warn")).to_json())
    kept["enforcement_result"] = None
    with pytest.raises(ValueError, match="enforcement_result"):
        CompiledArtifacts.model_validate(kept)


@pytest.mark.requirement("WU6-AC4")
@broken
def test_every_check_can_fail(case: Case, policy: str, breaks: Callable[[Content], None]) -> None:
    breaks(case.product)
    with pytest.raises(PolicyViolationError) as caught:
        compile_product(case.write("strict"))
    assert {finding.policy_type for finding in caught.value.result.findings} == {policy}
    assert all(finding.problem.line > 0 for finding in caught.value.result.findings)


@pytest.mark.requirement("WU6-AC5", "WU6-AC7")
@broken
def test_warn_passes_strict_fails_and_off_says_so(case: Case, policy: str, breaks: Callable[[Content], None]) -> None:
    breaks(case.product)
    warned = compile_product(case.write("warn")).enforcement_result
    assert (warned.passed, warned.error_count, warned.warning_count) == (True, 0, 1)
    assert [finding.policy_type for finding in warned.findings] == [policy]

    with pytest.raises(PolicyViolationError) as caught:
        compile_product(case.write("strict"))
    strict = caught.value.result.summary
    assert (strict.passed, strict.error_count, strict.warning_count) == (False, 1, 0)

    off = compile_product(case.write("off")).enforcement_result
    assert (off.passed, off.warning_count, off.policy_types_checked, off.enforcement_level) == (True, 0, (), "off")
    assert {one.policy_type for one in off.checks_not_run} == {check.policy_type for check in CHECKS}


@pytest.mark.requirement("WU6-AC7")
def test_the_command_line_fails_with_places_and_writes_nothing(case: Case) -> None:
    unowned(case.product)
    product = case.write("strict")
    done = floe("compile", product)
    assert done.returncode == ExitCode.WRONG
    assert "floe.yaml:" in done.stderr
    assert "FLOE-E301" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (product / "target").exists()
    case.write("warn")
    assert floe("compile", product).returncode == ExitCode.OK
    assert (product / "target" / "compiled_artifacts.json").is_file()


@pytest.mark.requirement("WU6-AC7")
def test_the_stricter_of_platform_and_product_wins(case: Case) -> None:
    unowned(case.product)
    case.product["governance"] = {"policy_enforcement_level": "strict"}
    with pytest.raises(PolicyViolationError):
        compile_product(case.write("off"))
    case.product["governance"] = {"policy_enforcement_level": "off"}
    assert compile_product(case.write("warn")).enforcement_result.warning_count == 1


@pytest.mark.requirement("WU6-BC2")
def test_without_governance_the_level_is_warn(case: Case) -> None:
    unowned(case.product)
    verdict = compile_product(case.write(None)).enforcement_result
    assert (verdict.enforcement_level, verdict.passed, verdict.warning_count) == ("warn", True, 1)


@pytest.mark.requirement("WU6-AC5")
def test_equal_input_gives_equal_artifacts(case: Case, tmp_path: Path) -> None:
    product = case.write("warn")
    for name in ("first", "second"):
        assert floe("compile", product, "--output", tmp_path / name).returncode == ExitCode.OK
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
