"""Files that are wrong, each in its own way: code, place, nearest name, remedy; no bytes give a traceback."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from floe_core.compilation import compile_product
from floe_core.errors import ExitCode
from floe_core.plugins import PluginType
from floe_core.spec import FloeSpec, PlatformManifest, Problem, SpecError, load_manifest, load_product
from floe_core.spec.load import load
from floe_core.spec.platform import PluginSelections

Edit = Callable[[Path, str, str], None]


def problems(path: Path, model: type[FloeSpec | PlatformManifest] = FloeSpec) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        load(path, model)
    return caught.value.problems


def test_the_example_loads(example: Path) -> None:
    product, manifest = load_product(example / "orders").model, load_manifest(example / "manifest.yaml").model
    assert [transform.name for transform in product.transforms] == [
        "bronze_orders",
        "silver_orders",
        "gold_orders_by_day",
    ]
    assert product.transforms[1].depends_on == ("bronze_orders",)
    assert product.output_ports[0].columns[0].primary_key is True
    assert manifest.governance is not None
    assert set(manifest.plugins.chosen()) == {"compute", "dbt", "storage", "catalog", "telemetry_backend"}


def test_a_file_and_its_folder_are_the_same(example: Path) -> None:
    assert load_product(example / "orders").model == load_product(example / "orders" / "floe.yaml").model


def test_the_manifest_has_a_place_for_every_plugin_type() -> None:
    assert set(PluginSelections.model_fields) == {kind.value for kind in PluginType}


# old text, new text, code, line:column, field, nearest, a word of reason or remedy
WRONG_PRODUCTS = [
    (
        "apiVersion: floe.dev/v1",
        "apiVersion: floe.dev/v2",
        "FLOE-E101",
        "2:13",
        "apiVersion",
        "floe.dev/v1",
        "floe.dev/v1",
    ),
    ("kind: FloeSpec\n", "", "FLOE-E101", "2:1", "kind", "", "add kind: FloeSpec"),
    ("name: orders", "name: Orders!", "FLOE-E101", "5:9", "metadata.name", "", "lower-case"),
    ("version: 0.1.0", "version: 1.0", "FLOE-E101", "6:12", "metadata.version", "", 'quote it: "1.0"'),
    ("version: 0.1.0", "version: 01.2.3", "FLOE-E101", "6:12", "metadata.version", "", "semantic version"),
    ("owner: sales-data", "owner: ''", "FLOE-E101", "8:10", "metadata.owner", "", "team"),
    ("owner: sales-data", "ownr: sales-data", "FLOE-E101", "8:3", "metadata.ownr", "owner", "no field"),
    ("tier: silver", "tier: silvr", "FLOE-E101", "15:11", "transforms[1].tier", "silver", "bronze, silver, gold"),
    (
        "dependsOn: [bronze",
        "depends_on: [bronze",
        "FLOE-E101",
        "16:5",
        "transforms[1].depends_on",
        "dependsOn",
        "no field",
    ),
    (
        "dependsOn: [silver_orders]",
        "dependsOn: silver_orders",
        "FLOE-E101",
        "19:16",
        "transforms[2].dependsOn",
        "",
        "a list is needed",
    ),
    ("name: bronze_orders", "name: bronze-orders", "FLOE-E101", "12:11", "transforms[0].name", "", "dbt identifier"),
    ('cron: "30 5 * * *"', "cron: not a cron", "FLOE-E103", "21:9", "schedule.cron", "", "five fields"),
    (
        "timezone: Europe/Berlin",
        "timezone: Europe/Brlin",
        "FLOE-E104",
        "22:13",
        "schedule.timezone",
        "Europe/Berlin",
        "IANA",
    ),
    ("type: number", "type: decimal", "FLOE-E101", "28:31", "outputPorts[0].schema[1].type", "", "timestamp"),
    (
        "primaryKey: true",
        "primaryKey: 'yes'",
        "FLOE-E101",
        "27:67",
        "outputPorts[0].schema[0].primaryKey",
        "",
        "write true or false",
    ),
    ("  manifest: ../manifest.yaml", "  - ../manifest.yaml", "FLOE-E101", "10:3", "platform", "", "mapping"),
    (
        "owner: sales-data",
        "owner: sales-data\n  password: x1",
        "FLOE-E102",
        "9:13",
        "metadata.password",
        "",
        "{env: NAME}",
    ),
    (
        "description: Orders",
        "description: s3://id:k3y@host/x Orders",  # nosec B105 - planted
        "FLOE-E102",
        "7:16",
        "metadata.description",
        "",
        "URL",
    ),
    ("owner: sales-data", "owner: sales-data\n  owner: x", "FLOE-E002", "9:3", "", "", "twice"),
]


@pytest.mark.parametrize(("old", "new", "code", "place", "field", "near", "words"), WRONG_PRODUCTS)
def test_a_wrong_product(  # noqa: PLR0913, PLR0917 - one row of the table
    example: Path, edit: Edit, old: str, new: str, code: str, place: str, field: str, near: str, words: str
) -> None:
    path = example / "orders" / "floe.yaml"
    edit(path, old, new)
    (found,) = problems(path)
    assert (found.code, found.where, found.field, found.nearest) == (code, f"{path}:{place}", field, near)
    assert words in f"{found.reason} {found.remedy}"


WRONG_MANIFESTS = [
    ("type: duckdb", "typ: duckdb", ["FLOE-E101", "FLOE-E101"], "plugins.compute.typ", "type"),
    ("  telemetry_backend:", "  telemetry:", ["FLOE-E101"], "plugins.telemetry", "telemetry_backend"),
    (
        "policy_enforcement_level: warn",
        "policy_enforcement_level: strickt",
        ["FLOE-E101"],
        "governance.policy_enforcement_level",
        "strict",
    ),
    ("pattern: medallion", "patterns: {gold: '['}", ["FLOE-E101"], "governance.naming.patterns.gold", ""),
    (
        "secret_key: {env: AWS_SECRET_ACCESS_KEY}",
        "secret_key: abc",
        ["FLOE-E102"],
        "plugins.storage.config.secret_key",
        "",
    ),
]


@pytest.mark.parametrize(("old", "new", "codes", "field", "near"), WRONG_MANIFESTS)
def test_a_wrong_manifest(  # noqa: PLR0913, PLR0917 - one row of the table
    example: Path, edit: Edit, old: str, new: str, codes: list[str], field: str, near: str
) -> None:
    path = example / "manifest.yaml"
    edit(path, old, new)
    found = problems(path, PlatformManifest)
    assert [one.code for one in found] == codes
    assert (found[0].field, found[0].nearest) == (field, near)


def test_all_problems_are_told_at_once_and_in_order(example: Path, edit: Edit) -> None:
    path = example / "orders" / "floe.yaml"
    for old, new in (("tier: silver", "tier: x"), ("tier: gold", "tier: y"), ("kind: FloeSpec\n", "")):
        edit(path, old, new)
    found = problems(path)
    assert [one.field for one in found] == ["kind", "transforms[1].tier", "transforms[2].tier"]
    assert len(str(SpecError(found)).splitlines()) == 1 + 2 + 2 * 2


def test_a_literal_secret_is_never_repeated(example: Path, edit: Edit) -> None:
    path = example / "manifest.yaml"
    edit(path, "secret_key: {env: AWS_SECRET_ACCESS_KEY}", "secret_key: planted-4711")
    with pytest.raises(SpecError) as caught:
        load_manifest(path)
    assert "planted-4711" not in str(caught.value)
    assert "planted-4711" not in str([one.as_dict() for one in caught.value.problems])


def test_a_secret_that_is_known_by_its_shape_is_never_repeated(example: Path, edit: Edit) -> None:
    path = example / "orders" / "floe.yaml"
    edit(path, "description: Orders by day.", "description: postgres://me:planted-4712@host/db")  # nosec B105 - planted
    (found,) = problems(path)
    assert found.code == "FLOE-E102"
    assert "planted-4712" not in f"{found} {found.as_dict()}"


def test_a_file_that_is_not_there_is_a_matter_of_usage(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_product(tmp_path / "nothing")
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.problems[0].code == "FLOE-E001"


@pytest.mark.parametrize(
    ("working", "named", "told"),
    [
        (".", "orders", "manifest.yaml"),
        (".", "orders/floe.yaml", "manifest.yaml"),
        (".", "orders/../orders", "manifest.yaml"),
        ("orders", ".", "../manifest.yaml"),
        ("orders", "floe.yaml", "../manifest.yaml"),
        ("orders/deeper", "..", "../../manifest.yaml"),
        ("elsewhere", "../orders", "../manifest.yaml"),
        ("elsewhere", "linked", "../manifest.yaml"),
    ],
)
def test_a_manifest_is_told_as_a_person_would_name_it(  # noqa: PLR0913, PLR0917 - one row of the table
    example: Path, edit: Edit, monkeypatch: pytest.MonkeyPatch, working: str, named: str, told: str
) -> None:
    edit(example / "manifest.yaml", "governance:", "governanc:")
    (example / "orders" / "deeper").mkdir()
    (example / "elsewhere").mkdir()
    (example / "elsewhere" / "linked").symlink_to(example / "orders")
    monkeypatch.chdir(example / working)
    with pytest.raises(SpecError) as caught:
        compile_product(Path(named))
    (problem,) = caught.value.problems
    assert (problem.file, problem.code) == (told, "FLOE-E101")
    assert Path(told).resolve() == example / "manifest.yaml"


def test_a_manifest_of_an_absolute_product_is_absolute_without_detours(example: Path, edit: Edit) -> None:
    edit(example / "manifest.yaml", "governance:", "governanc:")
    with pytest.raises(SpecError) as caught:
        compile_product(example / "orders")
    assert caught.value.problems[0].file == str(example / "manifest.yaml")


@pytest.mark.parametrize("name", ["../loop/x.yaml", "../a\0b.yaml", "../nothing/../x.yaml"])
def test_a_path_that_leads_nowhere_is_told(example: Path, edit: Edit, name: str) -> None:
    (example / "loop").symlink_to(example / "loop")
    edit(example / "orders" / "floe.yaml", "../manifest.yaml", json.dumps(name))
    with pytest.raises(SpecError) as caught:
        compile_product(example / "orders")
    assert [one.code for one in caught.value.problems] == ["FLOE-E001"]


def test_many_problems_are_cut_for_people(example: Path) -> None:
    path = example / "many.yaml"
    path.write_text("".join(f"x{i}: 1\n" for i in range(100)))
    found = SpecError(problems(path))
    assert len(found.problems) > 100
    assert "more" in str(found).splitlines()[-1]


def test_ten_thousand_models_load_in_bounded_time(example: Path) -> None:
    path = example / "orders" / "floe.yaml"
    head = path.read_text().partition("transforms:")[0]
    path.write_text(head + "transforms:\n" + "".join(f"  - {{name: m{i}, tier: bronze}}\n" for i in range(10_000)))
    begin = time.process_time()
    assert len(load_product(path).model.transforms) == 10_000
    assert time.process_time() - begin < 10
