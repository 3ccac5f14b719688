"""A domain joined with its enterprise: what comes from where, what cannot be loosened, and where problems point."""

from __future__ import annotations

from pathlib import Path

import pytest
from floe_core.spec import Document, PlatformManifest, Problem, Scope, SpecError, load_manifest
from floe_core.spec.governance import Classification, EnforcementLevel, NamingPattern, Tier
from floe_core.spec.platform import LogLevel
from floe_core.spec.source import Advice

ENTERPRISE = """\
apiVersion: floe.dev/v1
kind: Manifest
metadata: {name: acme, version: 2.0.0, owner: platform}
scope: enterprise
plugins:
  compute: {type: duckdb, config: {threads: 2}}
  storage: {type: s3, config: {bucket: lake-of-acme}}
approved_plugins: {compute: [duckdb]}
approved_sinks: [rest]
governance:
  policy_enforcement_level: warn
  require_owners: true
  data_retention_days: 30
  restricted_classifications: [pii]
  required_tags: {gold: [served], silver: [checked]}
observability:
  tracing: {endpoint: "http://collector:4318"}
  logging: {level: warning}
"""
DOMAIN = """\
apiVersion: floe.dev/v1
kind: Manifest
metadata: {name: sales, version: 1.0.0, owner: sales}
scope: domain
parent_manifest: enterprise.yaml
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "enterprise.yaml").write_text(ENTERPRISE)
    return tmp_path


def joined(folder: Path, more: str = "") -> Document[PlatformManifest]:
    path = folder / "sales.yaml"
    path.write_text(DOMAIN + more)
    return load_manifest(path)


def refused(folder: Path, more: str = "") -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        joined(folder, more)
    return caught.value.problems


def where(document: Document[PlatformManifest], *loc: str | int) -> str:
    problem = document.source.problem("FLOE-E000", loc, Advice("a reason"))
    return f"{Path(problem.file).name}:{problem.line}:{problem.column}"


def test_a_domain_that_chooses_nothing_is_its_enterprise_under_its_own_name(folder: Path) -> None:
    manifest = joined(folder).model
    assert (manifest.metadata.name, manifest.scope) == ("sales", Scope.DOMAIN)
    assert {kind: one.type for kind, one in manifest.plugins.chosen().items()} == {
        "compute": "duckdb",
        "storage": "s3",
        "dbt": "core",
    }
    assert manifest.plugins.compute.config == {"threads": 2}
    assert manifest.governance is not None
    assert manifest.governance.data_retention_days == 30
    assert manifest.approved_plugins == {"compute": ("duckdb",)}
    assert manifest.approved_sinks == ("rest",)
    assert manifest.observability.tracing.endpoint == "http://collector:4318"


def test_a_plugin_that_the_domain_chooses_is_its_own_whole(folder: Path) -> None:
    more = "plugins:\n  compute: {type: duckdb}\n  catalog: {type: polaris}\napproved_products: [orders]\n"
    manifest = joined(folder, more).model
    assert manifest.plugins.compute.config == {}, "settings of another choice are not mixed in"
    assert list(manifest.plugins.chosen()) == ["compute", "catalog", "storage", "dbt"]
    assert manifest.approved_products == ("orders",)


def test_the_stricter_rule_holds(folder: Path) -> None:
    more = """governance:
  policy_enforcement_level: strict
  data_retention_days: 90
  minimum_test_coverage: 10
  restricted_classifications: [confidential, pii]
  required_tags: {gold: [sales], bronze: [raw]}
  naming: {pattern: custom, patterns: {gold: "sales_.*"}}
"""
    rules = joined(folder, more).model.governance
    assert rules is not None
    assert rules.policy_enforcement_level is EnforcementLevel.STRICT
    assert (rules.data_retention_days, rules.minimum_test_coverage) == (90, 10)
    assert rules.restricted_classifications == (Classification.CONFIDENTIAL, Classification.PII)
    assert rules.required_tags == {
        Tier.GOLD: ("sales", "served"),
        Tier.BRONZE: ("raw",),
        Tier.SILVER: ("checked",),
    }
    assert rules.naming.pattern is NamingPattern.CUSTOM, "the enterprise has no word on names"


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("policy_enforcement_level: 'off'", "enterprise.yaml:11:29"),
        ("require_owners: false", "enterprise.yaml:12:19"),
        ("data_retention_days: 29", "enterprise.yaml:13:24"),
        ("data_retention_days: null", "enterprise.yaml:13:24"),
    ],
)
def test_a_looser_rule_is_refused_where_it_stands(folder: Path, rule: str, line: str) -> None:
    (problem,) = refused(folder, f"governance:\n  require_descriptions: false\n  {rule}\n")
    assert (problem.code, problem.line) == ("FLOE-E109", 8)
    assert problem.file.endswith("sales.yaml")
    assert line in problem.reason


def test_every_looser_rule_is_told_at_once(folder: Path) -> None:
    more = "governance: {require_owners: false, data_retention_days: 1, policy_enforcement_level: strict}\n"
    assert [one.field for one in refused(folder, more)] == [
        "governance.require_owners",
        "governance.data_retention_days",
    ]


def test_the_same_rule_again_is_no_loosening(folder: Path) -> None:
    rules = joined(folder, "governance: {require_owners: true, data_retention_days: 30}\n").model.governance
    assert rules is not None
    assert rules.policy_enforcement_level is EnforcementLevel.WARN


def test_what_is_observed_is_laid_over_field_by_field(folder: Path) -> None:
    seen = joined(folder, "observability: {tracing: {enabled: false}, lineage: {enabled: false}}\n").model.observability
    assert (seen.tracing.enabled, seen.tracing.endpoint) == (False, "http://collector:4318")
    assert (seen.lineage.enabled, seen.logging.level) == (False, LogLevel.WARNING)


def test_a_problem_points_into_the_file_where_the_setting_stands(folder: Path) -> None:
    more = """plugins:
  catalog: {type: polaris}
governance:
  data_retention_days: 90
observability: {logging: {format: json}}
"""
    document = joined(folder, more)
    assert where(document, "plugins", "catalog", "type") == "sales.yaml:7:19"
    assert where(document, "plugins", "storage", "type") == "enterprise.yaml:7:19"
    assert where(document, "plugins", "compute", "config", "threads") == "enterprise.yaml:6:45"
    assert where(document, "governance", "data_retention_days") == "sales.yaml:9:24"
    assert where(document, "governance", "require_owners") == "enterprise.yaml:12:19"
    assert where(document, "governance", "required_tags", "silver") == "enterprise.yaml:15:43"
    assert where(document, "approved_sinks") == "enterprise.yaml:9:17"
    assert where(document, "observability", "logging", "format") == "sales.yaml:10:35"
    assert where(document, "observability", "logging", "level") == "enterprise.yaml:18:20"
    assert where(document, "metadata", "name") == "sales.yaml:3:18"
    assert where(document, "plugins", "dbt", "type") == "sales.yaml:7:3", "nobody wrote it; the nearest place above"


def test_a_value_is_that_of_the_file_where_it_stands(folder: Path) -> None:
    document = joined(folder)
    assert document.source.value(("plugins", "storage", "type")) == "s3"
    assert document.source.value(("metadata", "name")) == "sales"


def test_the_bytes_of_both_files_are_there_to_be_hashed(folder: Path) -> None:
    document = joined(folder)
    assert document.raws == (DOMAIN.encode(), ENTERPRISE.encode())
    assert [parent.path.name for parent in document.parents] == ["enterprise.yaml"]
    alone = load_manifest(folder / "enterprise.yaml")
    assert (alone.raws, alone.parents) == ((ENTERPRISE.encode(),), ())


def test_what_is_wrong_in_the_parent_is_told_in_the_parent(folder: Path) -> None:
    (folder / "enterprise.yaml").write_text(ENTERPRISE.replace("type: s3", "typ: s3"))
    assert {(Path(one.file).name, one.code, one.line) for one in refused(folder)} == {
        ("enterprise.yaml", "FLOE-E101", 7)
    }
    (folder / "enterprise.yaml").write_text("a: [1")
    assert [(Path(one.file).name, one.code) for one in refused(folder)] == [("enterprise.yaml", "FLOE-E002")]


@pytest.mark.parametrize(
    ("parent", "reason"),
    [
        ("nowhere.yaml", "no such file"),
        (".", "directory"),
        ("sales.yaml", "names itself"),
        ("./../{folder}/sales.yaml", "names itself"),
        ("ring.yaml", "each other's parent"),
        ("other-domain.yaml", "is a domain's"),
        ("alone.yaml", "no enterprise's"),
        ('"a\\0b"', "no path"),
        ("loop.yaml", "symbolic links"),
    ],
)
def test_a_parent_that_is_none_is_told_at_its_line(folder: Path, parent: str, reason: str) -> None:
    (folder / "ring.yaml").write_text(DOMAIN.replace("enterprise.yaml", "sales.yaml"))
    (folder / "other-domain.yaml").write_text(DOMAIN)
    (folder / "alone.yaml").write_text(ENTERPRISE.replace("scope: enterprise\n", ""))
    (folder / "loop.yaml").symlink_to("loop.yaml")
    path = folder / "sales.yaml"
    path.write_text(DOMAIN.replace("enterprise.yaml", parent.replace("{folder}", folder.name)))
    with pytest.raises(SpecError) as caught:
        load_manifest(path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file, problem.line, problem.column) == ("FLOE-E108", str(path), 5, 18)
    assert reason in problem.reason
