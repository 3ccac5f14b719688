"""From a written product to its artifacts, by the installed command line, and to its tables, where Dagster serves it.

Every demo product, and variations of customer-360 in which one rule is broken, at each level of enforcement, with the
manifest that dbt itself wrote. Needs no service. No expected failure: what is promised here is held.
"""

from __future__ import annotations

import copy
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import yaml
from floe_core.compilation import CompiledArtifacts, compile_bundle, compile_outputs, compile_product, write_outputs
from floe_core.enforcement import CHECKS, PolicyViolationError
from floe_core.errors import ExitCode
from floe_core.plugins import DbtCommand, DbtRequest, NoConfig, PluginType
from floe_core.registry import PluginEntry, Registry
from floe_dbt_core.plugin import DBTCorePlugin
from floe_ops import project

if TYPE_CHECKING:
    from floe_ops.clients.dagster import Dagster

pytestmark = pytest.mark.duckdb

DEMO = project.root() / "demo"
PRODUCTS = sorted(path.parent for path in DEMO.glob("*/floe.yaml"))
CUSTOMER_360 = DEMO / "customer-360"
MODEL, TEST = "model.customer_360.int_customer_orders", "test.customer_360."
Content = dict[str, Any]


def programs(name: str) -> Path:
    """A program of this environment."""
    return Path(sys.executable).with_name(name)


def floe(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command line."""
    return subprocess.run(
        [programs("floe"), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of customer-360 with the manifest that the installed dbt wrote, by the profile that floe compiled.

    Both lanes of the profile are loaded by dbt.
    """
    folder = tmp_path_factory.mktemp("parsed") / "product"
    shutil.copytree(CUSTOMER_360, folder, ignore=shutil.ignore_patterns("target", "*.duckdb"))
    bundle = compile_bundle(folder, DEMO / "manifest.yaml")
    write_outputs(folder.parent / "profiles", compile_outputs(bundle, ["profiles.yml"]))
    for lane, target in (("duckdb", folder / "target"), ("iceberg", folder.parent / "target-iceberg")):
        environment = {"FLOE_DUCKDB_PATH": str(folder.parent / f"{lane}.duckdb"), "DBT_LOG_PATH": str(folder.parent)}
        profiles = folder.parent / "profiles"
        parsing = DbtRequest(DbtCommand.PARSE, folder, profiles, lane, target, environment=environment)
        assert DBTCorePlugin(NoConfig()).run(parsing).success
    return folder


@dataclass
class Case:
    """A product and a manifest of our own, made of customer-360's.

    Attributes:
        folder: Where both lie.
        parsed: The product's dbt project with dbt's manifest.
        product: The content of `floe.yaml`.
        manifest: The content of `manifest.yaml`.
        dbt: dbt's manifest; None leaves the dbt project away.
        plugins: Declared beside the installed plugins.
    """

    folder: Path
    parsed: Path
    product: Content
    manifest: Content
    dbt: Content | None = None
    plugins: list[PluginEntry] = field(default_factory=list)

    @property
    def rules(self) -> Content:
        rules: Content = self.manifest["governance"]
        return rules

    @property
    def registry(self) -> Registry:
        return Registry([*Registry().entries(), *self.plugins])

    def with_dbt(self) -> Content:
        """Lay the dbt project beside the product, with dbt's manifest, which is given to be changed."""
        self.dbt = json.loads((self.parsed / "target" / "manifest.json").read_text())
        return self.dbt

    def write(self, level: str | None) -> Path:
        """Write all of it with this level (None: no governance at all); the product's folder."""
        manifest, folder = copy.deepcopy(self.manifest), self.folder / "product"
        if level is None:
            manifest.pop("governance", None)
        else:
            manifest.setdefault("governance", {})["policy_enforcement_level"] = level
        if self.dbt is not None and not folder.exists():
            shutil.copytree(self.parsed, folder)
            (folder / "target" / "manifest.json").write_text(json.dumps(self.dbt))
        folder.mkdir(exist_ok=True)
        (self.folder / "manifest.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
        (folder / "floe.yaml").write_text(yaml.safe_dump(self.product), encoding="utf-8")
        return folder


@pytest.fixture
def case(tmp_path: Path, parsed: Path) -> Case:
    read = [yaml.safe_load(path.read_text()) for path in (CUSTOMER_360 / "floe.yaml", DEMO / "manifest.yaml")]
    return Case(tmp_path, parsed, *read)


def plugin(case: Case, kind: PluginType, name: str, text: str) -> None:
    """Declare a plugin that is written down here; chosen by the manifest."""
    folder = case.folder / "plugins"
    folder.mkdir(exist_ok=True)
    module = f"planted_{name}_{secrets.token_hex(4)}"
    (folder / f"{module}.py").write_text(text)
    sys.path.insert(0, str(folder))
    case.plugins.append(PluginEntry(kind, name, f"{module}:Plugin", f"floe-{kind}-{name}", "1.2.3"))
    case.manifest["plugins"][kind.value] = {"type": name}


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `plugin` adds to the path is gone after the test."""
    monkeypatch.setattr(sys, "path", [*sys.path])


def uninstrumented(case: Case) -> None:
    text = "from floe_compute_duckdb.plugin import DuckDBComputePlugin\n\n\nclass Plugin(DuckDBComputePlugin):\n"
    plugin(case, PluginType.COMPUTE, "silent", f"{text}    name, tracer_name = 'silent', None\n")


def misnamed(case: Case) -> None:
    bronze = next(one for one in case.product["transforms"] if one["tier"] == "bronze")
    old, bronze["name"] = bronze["name"], "customers"
    for one in case.product["transforms"]:
        one["dependsOn"] = ["customers" if name == old else name for name in one.get("dependsOn", [])]


def unowned(case: Case) -> None:
    del case.product["metadata"]["owner"]


def undescribed(case: Case) -> None:
    del case.product["metadata"]["description"]


def undescribed_port_column(case: Case) -> None:
    case.rules["require_column_descriptions"] = True
    del case.product["outputPorts"][0]["schema"][0]["description"]


def undescribed_model(case: Case) -> None:
    case.with_dbt()["nodes"][MODEL]["description"] = ""


def undescribed_column(case: Case) -> None:
    case.rules["require_column_descriptions"] = True
    columns = case.with_dbt()["nodes"][MODEL]["columns"]
    columns[next(iter(columns))]["description"] = ""


def untagged(case: Case) -> None:
    case.rules["required_tags"] = {"gold": ["marts"]}
    del case.product["transforms"][-1]["tags"]


def undeclared(case: Case) -> None:
    del case.product["transforms"][-1]["dependsOn"]


def unapproved_plugin(case: Case) -> None:
    case.manifest["approved_plugins"] = {"compute": ["spark"]}


def unapproved_sink(case: Case) -> None:
    case.manifest["approved_sinks"] = ["postgres"]
    case.product["destinations"] = [{"name": "crm", "sinkType": "mysql", "sourceTable": "mart_churn_risk"}]


def short_lived(case: Case) -> None:
    case.rules["data_retention_days"] = 30
    case.product["retention"] = {"days": 7}


def unclassified(case: Case) -> None:
    case.rules["require_classification"] = True
    del case.product["outputPorts"][0]["schema"][0]["classification"]


def leaking(case: Case) -> None:
    case.rules["restricted_classifications"] = ["pii"]
    case.product["outputPorts"][1]["schema"][1]["classification"] = "pii"
    case.product["destinations"] = [{"name": "crm", "sinkType": "mysql", "sourceTable": "mart_churn_risk"}]


def untested(case: Case) -> None:
    case.rules["minimum_test_coverage"] = 100
    nodes = case.with_dbt()["nodes"]
    for key in [key for key, node in nodes.items() if key.startswith(TEST) and MODEL in node["depends_on"]["nodes"]]:
        del nodes[key]


def promised_test(case: Case) -> None:
    case.with_dbt()
    case.product["transforms"][0]["qualityChecks"] = ["unique", "never_negative"]


def promised_column(case: Case) -> None:
    case.with_dbt()
    case.product["outputPorts"][0]["schema"][0]["name"] = "customer"


def written_down(case: Case) -> None:
    case.with_dbt()
    folder = case.write("warn")
    (folder / "macros" / "login.sql").write_text(f"set s3_secret_access_key = '{secrets.token_hex(12)}';\n")


BREAKS: dict[str, Callable[[Case], None]] = {
    "plugin_instrumentation": uninstrumented,
    "naming": misnamed,
    "ownership": unowned,
    "descriptions": undescribed,
    "port_column_descriptions": undescribed_port_column,
    "model_descriptions": undescribed_model,
    "column_descriptions": undescribed_column,
    "required_tags": untagged,
    "dependencies": undeclared,
    "approved_plugins": unapproved_plugin,
    "approved_sinks": unapproved_sink,
    "retention": short_lived,
    "classification": unclassified,
    "restricted_columns": leaking,
    "test_coverage": untested,
    "quality_checks": promised_test,
    "port_columns": promised_column,
    "literal_secrets": written_down,
}
broken = pytest.mark.parametrize("policy", BREAKS)


@pytest.mark.requirement("WU6-AC4")
def test_every_check_has_a_case() -> None:
    assert set(BREAKS) == {check.policy_type for check in CHECKS}


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


@pytest.mark.requirement("WU6-AC4", "WU6-AC7")
def test_dbts_own_manifest_is_used_and_a_sound_product_passes_strict(case: Case) -> None:
    case.with_dbt()
    case.rules.update(minimum_test_coverage=100, require_column_descriptions=True)
    case.product["transforms"][0]["qualityChecks"] = ["unique", "not_null"]
    made = compile_product(case.write("strict"))
    verdict = made.enforcement_result
    assert (verdict.passed, verdict.findings) == (True, ())
    assert {"model_descriptions", "column_descriptions", "test_coverage", "quality_checks", "port_columns"} <= set(
        verdict.policy_types_checked
    )
    assert (made.dbt_manifest.used, made.dbt_manifest.models, made.dbt_manifest.tests) == (True, 9, 9)


@pytest.mark.requirement("WU6-BC1")
@pytest.mark.parametrize("level", ["warn", "strict"])
def test_an_uninstrumented_plugin_is_a_warning(case: Case, level: str) -> None:
    uninstrumented(case)
    verdict = compile_product(case.write(level), registry=case.registry).enforcement_result
    assert (verdict.passed, verdict.error_count, verdict.warning_count) == (True, 0, 1)
    assert [finding.policy_type for finding in verdict.findings] == ["plugin_instrumentation"]


@pytest.mark.requirement("WU6-AC4", "WU6-AC5", "WU6-AC7")
@broken
def test_warn_passes_strict_fails_and_off_says_so(case: Case, policy: str) -> None:
    BREAKS[policy](case)
    warned = compile_product(case.write("warn"), registry=case.registry).enforcement_result
    assert (warned.passed, warned.error_count, warned.warning_count) == (True, 0, 1)
    assert [finding.policy_type for finding in warned.findings] == [policy]

    if policy != "plugin_instrumentation":
        with pytest.raises(PolicyViolationError) as caught:
            compile_product(case.write("strict"), registry=case.registry)
        assert [finding.policy_type for finding in caught.value.result.findings] == [policy]
        assert caught.value.result.findings[0].problem.line > 0
        strict = caught.value.result.summary
        assert (strict.passed, strict.error_count, strict.warning_count) == (False, 1, 0)

    off = compile_product(case.write("off"), registry=case.registry).enforcement_result
    assert (off.passed, off.warning_count, off.policy_types_checked, off.enforcement_level) == (True, 0, (), "off")
    assert {one.policy_type for one in off.checks_not_run} == {check.policy_type for check in CHECKS}


@pytest.mark.requirement("WU6-AC7")
def test_the_command_line_fails_with_places_and_writes_nothing(case: Case) -> None:
    unowned(case)
    product = case.write("strict")
    done = floe("compile", product)
    assert done.returncode == ExitCode.WRONG
    assert "floe.yaml:" in done.stderr
    assert "FLOE-E303" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (product / "target").exists()
    case.write("warn")
    assert floe("compile", product).returncode == ExitCode.OK
    assert (product / "target" / "compiled_artifacts.json").is_file()


@pytest.mark.requirement("WU6-AC7")
def test_the_stricter_of_platform_and_product_wins(case: Case) -> None:
    unowned(case)
    case.product["governance"] = {"policy_enforcement_level": "strict"}
    with pytest.raises(PolicyViolationError):
        compile_product(case.write("off"))
    case.product["governance"] = {"policy_enforcement_level": "off"}
    assert compile_product(case.write("warn")).enforcement_result.warning_count == 1


@pytest.mark.requirement("WU6-BC2")
def test_without_governance_the_level_is_warn(case: Case) -> None:
    unowned(case)
    verdict = compile_product(case.write(None)).enforcement_result
    assert (verdict.enforcement_level, verdict.passed, verdict.warning_count) == ("warn", True, 1)


@pytest.mark.requirement("WU6-AC5")
def test_equal_input_gives_equal_artifacts(case: Case, tmp_path: Path) -> None:
    product = case.write("warn")
    for name in ("first", "second"):
        assert floe("compile", product, "--output", tmp_path / name).returncode == ExitCode.OK
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@pytest.mark.requirement("WU3-AC4")
@pytest.mark.timeout(400)
def test_a_compiled_product_is_built_by_graphql(tmp_path: Path, serve: Callable[..., Dagster]) -> None:
    for file in (path for path in DEMO.iterdir() if path.is_file()):
        shutil.copy(file, tmp_path)
    product = tmp_path / CUSTOMER_360.name
    shutil.copytree(CUSTOMER_360, product, ignore=shutil.ignore_patterns("target", "*.duckdb", "definitions.py"))
    done = floe("compile", product, "--outputs", tmp_path / "build")
    assert done.returncode == ExitCode.OK, done.stderr

    client = serve(tmp_path / "dagster", {product.name: tmp_path / "build" / "definitions.py"})
    run = client.runs.launch(client.repository(product.name), "customer_360_build")
    assert client.runs.wait(run.id, 200.0).status == "SUCCESS"
    compiled = json.loads((product / "target" / "compiled_artifacts.json").read_text())
    made = {one.asset for one in client.runs.materializations(run.id)}
    assert {model["name"] for model in compiled["models"]} <= {asset.rpartition("/")[2] for asset in made}
    assert {check.passed for check in client.runs.checks(run.id)} == {True}
    database = tmp_path / "dagster/home/products" / product.name / "customer_360.duckdb"
    with duckdb.connect(str(database), read_only=True) as opened:
        for port in yaml.safe_load((product / "floe.yaml").read_text())["outputPorts"]:
            assert opened.table(f"marts.{port['name']}").count("*").fetchall() > [(0,)]
