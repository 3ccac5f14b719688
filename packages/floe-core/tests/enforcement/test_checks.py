"""Every check, kept and broken: each finds its own fault, at its place, and counts what it looked at."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from floe_core.compilation import stages
from floe_core.enforcement import CHECKS, EnforcementResult, Severity, Subject, enforce
from floe_core.plugins import PluginType
from floe_core.registry import PluginEntry, Registry

Content = dict[str, Any]


@dataclass
class World:
    """The example product and platform with every rule asked for, its dbt project, and dbt's manifest."""

    folder: Path
    write_dbt: Callable[..., Path]
    product: Content
    platform: Content
    manifest_changes: list[Callable[[Content], object]] = field(default_factory=list)
    plugins: list[PluginEntry] = field(default_factory=list)
    with_dbt: bool = True

    @property
    def rules(self) -> Content:
        rules: Content = self.platform["governance"]
        return rules

    @property
    def port(self) -> Content:
        port: Content = self.product["outputPorts"][0]
        return port

    def verdict(self) -> EnforcementResult:
        for path, content in (("manifest.yaml", self.platform), ("orders/floe.yaml", self.product)):
            (self.folder / path).write_text(yaml.safe_dump(content), encoding="utf-8")
        if self.with_dbt and not (self.folder / "orders" / "models").exists():
            self.write_dbt(self.folder / "orders", change=lambda whole: [one(whole) for one in self.manifest_changes])
        loaded = stages.load(self.folder / "orders")
        plugins = stages.resolve(loaded, Registry([*Registry().entries(), *self.plugins])).plugins
        return enforce(Subject(loaded.product, loaded.manifest, plugins, loaded.project, loaded.dbt))


@pytest.fixture
def world(example: Path, dbt_files: Callable[..., Path]) -> World:
    product, platform = (yaml.safe_load((example / one).read_text()) for one in ("orders/floe.yaml", "manifest.yaml"))
    platform["governance"] = {
        "policy_enforcement_level": "strict",
        "require_column_descriptions": True,
        "require_classification": True,
        "restricted_classifications": ["pii"],
        "required_tags": {"gold": ["daily"]},
        "data_retention_days": 30,
        "snapshot_keep_last": 5,
        "minimum_test_coverage": 100,
    }
    platform["approved_plugins"] = {"compute": ["duckdb"], "storage": ["s3"]}
    platform["approved_sinks"] = ["postgres"]
    product["retention"] = {"days": 30, "keepSnapshots": 5}
    product["destinations"] = [{"name": "crm", "sinkType": "postgres", "sourceTable": "gold_orders_by_day"}]
    product["transforms"][2]["qualityChecks"] = ["not_null"]
    for column in product["outputPorts"][0]["schema"]:
        column |= {"description": "What it is.", "classification": "internal"}
    return World(example, dbt_files, product, platform)


SILENT = """
    from floe_compute_duckdb.plugin import DuckDBComputePlugin

    class Plugin(DuckDBComputePlugin):
        name, tracer_name = "silent", None
"""


def silent(world: World, plugin_module: Callable[..., PluginEntry]) -> None:
    world.plugins.append(plugin_module(PluginType.COMPUTE, "silent", SILENT))
    world.platform["plugins"]["compute"] = {"type": "silent"}
    world.platform["approved_plugins"]["compute"] = ["silent"]


def misnamed(world: World) -> None:
    world.rules["naming"] = {"pattern": "custom", "patterns": {"gold": "g_.*"}}


def unowned(world: World) -> None:
    del world.product["metadata"]["owner"]


def undescribed(world: World) -> None:
    del world.port["description"]


def undescribed_port_column(world: World) -> None:
    del world.port["schema"][1]["description"]


def undescribed_model(world: World) -> None:
    world.manifest_changes.append(lambda whole: whole["nodes"]["model.orders.silver_orders"].update(description=" "))


def undescribed_column(world: World) -> None:
    def change(whole: Content) -> None:
        whole["nodes"]["model.orders.silver_orders"]["columns"]["revenue"]["description"] = ""

    world.manifest_changes.append(change)


def untagged(world: World) -> None:
    world.manifest_changes.append(lambda whole: whole["nodes"]["model.orders.gold_orders_by_day"].update(tags=[]))


def made_of_nothing(world: World) -> None:
    del world.product["transforms"][2]["dependsOn"]


def unapproved_plugin(world: World) -> None:
    world.platform["approved_plugins"]["storage"] = ["s3x"]


def unapproved_sink(world: World) -> None:
    world.product["destinations"][0]["sinkType"] = "postgre"


def short_lived(world: World) -> None:
    world.product["retention"]["days"] = 29


def unclassified(world: World) -> None:
    del world.port["schema"][0]["classification"]


def leaking(world: World) -> None:
    world.port["schema"][0]["classification"] = "pii"


def untested(world: World) -> None:
    world.manifest_changes.append(lambda whole: whole["nodes"].pop("test.orders.not_null_silver_orders"))


def promised_test(world: World) -> None:
    world.product["transforms"][2]["qualityChecks"] = ["not_null", "unique"]


def promised_column(world: World) -> None:
    world.port["schema"][1]["name"] = "revenues"


def written_down(world: World) -> None:
    world.with_dbt = False
    world.product["transforms"][2]["tags"] = ["daily"]
    world.write_dbt(world.folder / "orders", manifest=False)
    macros = world.folder / "orders" / "macros"
    macros.mkdir()
    (macros / "load.sql").write_text(f"create secret (type s3, key_id 'me',\n secret '{secrets.token_hex(8)}')")


# policy, what breaks it, file and field that the finding names, nearest name
BROKEN: dict[str, tuple[Callable[..., None], str, str, str]] = {
    "plugin_instrumentation": (silent, "manifest.yaml", "plugins.compute.type", ""),
    "naming": (misnamed, "floe.yaml", "transforms[2].name", ""),
    "ownership": (unowned, "floe.yaml", "metadata", ""),
    "descriptions": (undescribed, "floe.yaml", "outputPorts[0]", ""),
    "port_column_descriptions": (undescribed_port_column, "floe.yaml", "outputPorts[0].schema[1]", ""),
    "model_descriptions": (undescribed_model, "floe.yaml", "transforms[1]", ""),
    "column_descriptions": (undescribed_column, "floe.yaml", "transforms[1]", ""),
    "required_tags": (untagged, "floe.yaml", "transforms[2].tags", ""),
    "dependencies": (made_of_nothing, "floe.yaml", "transforms[2]", ""),
    "approved_plugins": (unapproved_plugin, "manifest.yaml", "plugins.storage.type", "s3x"),
    "approved_sinks": (unapproved_sink, "floe.yaml", "destinations[0].sinkType", "postgres"),
    "retention": (short_lived, "floe.yaml", "retention.days", ""),
    "classification": (unclassified, "floe.yaml", "outputPorts[0].schema[0]", ""),
    "restricted_columns": (leaking, "floe.yaml", "destinations[0].sourceTable", ""),
    "test_coverage": (untested, "floe.yaml", "transforms", ""),
    "quality_checks": (promised_test, "floe.yaml", "transforms[2].qualityChecks[1]", ""),
    "port_columns": (promised_column, "floe.yaml", "outputPorts[0].schema[1].name", "revenue"),
    "literal_secrets": (written_down, "macros/load.sql", "", ""),
}


def test_every_check_has_a_case_and_a_code_of_its_own() -> None:
    assert set(BROKEN) == {check.policy_type for check in CHECKS}
    assert [check.code for check in CHECKS] == [f"FLOE-E{300 + number}" for number in range(1, len(CHECKS) + 1)]


@pytest.mark.requirement("WU6-AC4")
def test_a_product_that_keeps_all_rules_passes_and_every_check_looked(world: World) -> None:
    result = world.verdict()
    assert [str(one.problem) for one in result.findings] == []
    summary = result.summary
    assert (summary.passed, summary.error_count, summary.warning_count) == (True, 0, 0)
    assert set(summary.policy_types_checked) == {check.policy_type for check in CHECKS} == set(summary.looked_at)
    assert summary.checks_not_run == ()
    assert summary.models_validated == 3


@pytest.mark.requirement("WU6-AC4", "WU6-AC7", "WU6-BC1")
@pytest.mark.parametrize("policy", BROKEN)
def test_every_check_finds_its_fault(world: World, policy: str, plugin_module: Callable[..., PluginEntry]) -> None:
    breaks, file, field_name, near = BROKEN[policy]
    if breaks is silent:
        breaks(world, plugin_module)
    else:
        breaks(world)
    result = world.verdict()
    (finding,) = result.findings
    (kept,) = result.summary.findings
    check = next(one for one in CHECKS if one.policy_type == policy)
    assert (finding.policy_type, finding.problem.code, finding.problem.field) == (policy, check.code, field_name)
    assert (kept.code, kept.policy_type, kept.file, kept.line) == (check.code, policy, file, finding.problem.line)
    assert finding.problem.line > 0
    assert finding.problem.nearest == near
    assert finding.problem.remedy
    # An uninstrumented plugin is a warning, however strict the level is.
    fails = policy != "plugin_instrumentation"
    assert (result.summary.passed, result.summary.error_count, result.summary.warning_count) == (
        not fails,
        fails,
        not fails,
    )
    assert kept.severity is (Severity.ERROR if fails else Severity.WARNING)


@pytest.mark.parametrize(
    ("change", "policies"),
    [
        ({"require_column_descriptions": False}, {"port_column_descriptions", "column_descriptions"}),
        ({"require_descriptions": False}, {"descriptions", "model_descriptions"}),
        ({"require_classification": False}, {"classification"}),
        ({"restricted_classifications": []}, {"restricted_columns"}),
        ({"required_tags": {}}, {"required_tags"}),
        ({"required_tags": {"gold": []}}, {"required_tags"}),
        ({"data_retention_days": None, "snapshot_keep_last": None}, {"retention"}),
        ({"minimum_test_coverage": None}, {"test_coverage"}),
        ({"require_owners": False}, {"ownership"}),
        ({"require_depends_on": False}, {"dependencies"}),
    ],
)
def test_what_is_not_asked_is_not_told_as_checked(world: World, change: Content, policies: set[str]) -> None:
    world.rules.update(change)
    summary = world.verdict().summary
    assert {one.policy_type for one in summary.checks_not_run} == policies
    assert all("governance." in one.why or "governance " in one.why for one in summary.checks_not_run)
    assert not policies & set(summary.policy_types_checked)


DBT_POLICIES = {"model_descriptions", "column_descriptions", "test_coverage", "quality_checks", "port_columns"}


@pytest.mark.requirement("WU6-AC7")
def test_without_dbts_manifest_nothing_is_told_of_what_only_it_knows(world: World) -> None:
    world.with_dbt = False
    summary = world.verdict().summary
    skipped = {one.policy_type: one.why for one in summary.checks_not_run}
    assert set(skipped) == DBT_POLICIES
    assert set(skipped.values()) == {"there is no dbt project beside floe.yaml"}
    # Without the manifest the tags are those of floe.yaml alone, and there are none.
    assert [one.policy_type for one in summary.findings] == ["required_tags"]


@pytest.mark.requirement("WU6-AC7")
def test_a_stale_manifest_is_not_believed(world: World) -> None:
    undescribed_model(world)
    untested(world)
    world.product["transforms"][2]["tags"] = ["daily"]
    world.write_dbt(world.folder / "orders")
    (world.folder / "orders" / "models" / "silver_orders.sql").write_text("select * from {{ ref('bronze_orders') }} x")
    summary = world.verdict().summary
    assert summary.findings == ()
    assert {one.policy_type for one in summary.checks_not_run} == DBT_POLICIES
    assert all("stale: models/silver_orders.sql has changed since" in one.why for one in summary.checks_not_run)


def test_a_check_that_finds_nothing_to_look_at_has_not_run(world: World) -> None:
    def change(whole: Content) -> None:
        whole["nodes"] = {key: node for key, node in whole["nodes"].items() if node["resource_type"] != "model"}
        whole["disabled"] = {
            name: [{"resource_type": "model", "package_name": "orders", "name": name}]
            for name in ("bronze_orders", "silver_orders", "gold_orders_by_day")
        }

    world.manifest_changes.append(change)
    world.product["transforms"][2]["tags"] = ["daily"]
    summary = world.verdict().summary
    skipped = {one.policy_type: one.why for one in summary.checks_not_run}
    assert set(skipped) == DBT_POLICIES
    assert set(skipped.values()) == {"there is nothing that it could look at"}


@pytest.mark.parametrize(("tests", "least", "passes"), [(2, 67, False), (2, 66, True), (0, 1, False), (0, 0, True)])
def test_coverage_is_counted(world: World, tests: int, least: int, passes: bool) -> None:
    def change(whole: Content) -> None:
        for key in [key for key in whole["nodes"] if key.startswith("test.")][tests:]:
            del whole["nodes"][key]

    world.manifest_changes.append(change)
    world.rules["minimum_test_coverage"] = least
    del world.product["transforms"][2]["qualityChecks"]
    assert world.verdict().summary.passed is passes


@pytest.mark.parametrize(
    ("retention", "remedy"),
    [
        (None, "add retention: { days: 30, keepSnapshots: 5 }"),
        ({"days": 30}, "keepSnapshots: 5"),
        ({"days": 1, "keepSnapshots": 5}, "days: 30"),
    ],
)
def test_retention_is_at_least_what_the_platform_asks(world: World, retention: Content | None, remedy: str) -> None:
    world.product["retention"] = retention
    (finding,) = world.verdict().findings
    assert remedy in finding.problem.remedy
    assert finding.problem.line > 0


# where a credential may stand in a dbt project, and whether it is one
WRITTEN = [
    ("models/x.yml", "vars:\n  api_token: '{value}'\n", True),
    ("models/x.yml", "a: [\n  &x ghp_{long}\n", True),
    ("profiles.yml", "o:\n  password: \"{{{{ env_var('PASSWORD') }}}}\"\n", False),
    ("profiles.yml", "o:\n  password: \"{{{{ env_var('PASSWORD', '{value}') }}}}\"\n", True),
    ("profiles.yml", "o:\n  pass: '{{{{ env_var(\"X\") }}}}'\n  token_type: bearer\n", False),
    ("macros/x.sql", "set s3_secret_access_key='{value}';\n", True),
    ("macros/x.sql", "attach 'postgres://me:{value}@host/db' as pg\n", True),
    ("macros/x.sql", "select * from logins where token = 'open' and secret_name = '{value}'\n", False),
    ("macros/x.sql", "set password = '{{{{ env_var('PASSWORD') }}}}'\n", False),
]


@pytest.mark.requirement("WU6-X3")
@pytest.mark.parametrize(("path", "text", "found"), WRITTEN)
def test_credentials_in_a_dbt_project_are_found_and_not_shown(world: World, path: str, text: str, found: bool) -> None:
    value = secrets.token_hex(12)
    world.verdict()
    place = world.folder / "orders" / path
    place.parent.mkdir(exist_ok=True)
    place.write_text(text.format(value=value, long=value * 2))
    result = world.verdict()
    findings = [one for one in result.findings if one.policy_type == "literal_secrets"]
    assert len(findings) == found
    assert value not in str(result)
    assert all(one.problem.line > 0 and one.problem.file.endswith(path) for one in findings)


@pytest.mark.requirement("WU6-X3")
def test_a_credential_in_a_comment_of_the_product_is_found(world: World) -> None:
    world.verdict()
    value, path = f"ghp_{secrets.token_hex(20)}", world.folder / "orders" / "floe.yaml"
    path.write_text(f"# {value}\n" + path.read_text())
    loaded = stages.load(world.folder / "orders")
    result = enforce(Subject(loaded.product, loaded.manifest, {}))
    (finding,) = [one for one in result.findings if one.policy_type == "literal_secrets"]
    assert (finding.problem.file, finding.problem.line) == (str(path), 1)
    assert value not in str(result)
