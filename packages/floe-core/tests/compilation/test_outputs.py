"""What is written beside the artifacts, held to who reads it: YAML, Kubernetes' schemas, Python."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from floe_core.compilation import (
    KINDS,
    Bundle,
    ClusterPlace,
    CompiledArtifacts,
    compile_bundle,
    compile_outputs,
    compile_product,
    write_outputs,
)
from floe_core.errors import UsageError, WrongStateError
from floe_core.plugins import PluginType
from floe_core.registry import PluginEntry, Registry
from floe_core.spec import SpecError

Edit = Callable[[Path, str, str], None]
KUBERNETES = "1.34"


@pytest.fixture
def bundle(example: Path, edit: Edit) -> Bundle:
    """The example, with an orchestrator and an rbac plugin chosen."""
    edit(
        example / "manifest.yaml",
        "  telemetry_backend:",
        "  orchestrator: {type: dagster}\n  rbac: {type: k8s}\n  telemetry_backend:",
    )
    return compile_bundle(example / "orders", place=ClusterPlace("sales"))


def objects(text: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(text) if one is not None]


def test_the_profile_is_that_of_the_artifacts(bundle: Bundle) -> None:
    text = compile_outputs(bundle)["profiles.yml"]
    assert yaml.safe_load(text) == bundle.artifacts.dbt_profiles
    assert set(yaml.safe_load(text)["orders"]["outputs"]) == {"duckdb", "iceberg"}


def test_the_shim_is_one_line_for_the_orchestrator(bundle: Bundle, tmp_path: Path) -> None:
    text = compile_outputs(bundle, product_dir="../orders")["definitions.py"]
    *_, last = ast.parse(text).body
    assert ast.unparse(last) == "defs = load_product_definitions((Path(__file__).parent / '../orders').resolve())"
    # What it imports is there, and what it hands over is the product's folder.
    (tmp_path / "definitions.py").write_text(text)
    told = "import floe_orchestrator_dagster as shim; shim.load_product_definitions = print; import definitions"
    done = subprocess.run(
        [sys.executable, "-c", told], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == str((tmp_path / "../orders").resolve())


def test_the_objects_are_those_of_kubernetes(bundle: Bundle) -> None:
    made = compile_outputs(bundle)
    (config_map,), rights = objects(made["configmap.yaml"]), objects(made["rbac.yaml"])
    for one in (config_map, *rights):
        kubernetes_validate.validate(one, KUBERNETES, strict=True)
        assert one["metadata"]["namespace"] == "sales"
    assert rights[0]["kind"] == "ServiceAccount"
    assert CompiledArtifacts.model_validate_json(config_map["data"]["compiled_artifacts.json"]) == bundle.artifacts
    assert config_map["metadata"]["name"] == "orders-artifacts"


def test_rights_name_the_secrets_that_are_looked_up(bundle: Bundle, example: Path, edit: Edit) -> None:
    edit(example / "manifest.yaml", "access_key: {env: AWS_ACCESS_KEY_ID}", "access_key: {secret: object-store}")
    edit(example / "manifest.yaml", "secret_key: {env: AWS_SECRET_ACCESS_KEY}", "secret_key: {secret: NO_KUBERNETES}")
    edit(example / "manifest.yaml", "  rbac:", "  secrets: {type: env}\n  rbac:")
    made = compile_outputs(compile_bundle(example / "orders"))
    (role,) = [one for one in objects(made["rbac.yaml"]) if one["kind"] == "Role"]
    assert [rule["resourceNames"] for rule in role["rules"]] == [["object-store"]]


def test_what_the_platform_does_not_have_is_not_made(example: Path) -> None:
    assert set(compile_outputs(compile_bundle(example / "orders"))) == {"profiles.yml", "configmap.yaml"}


def test_only_what_is_wanted_is_made(bundle: Bundle) -> None:
    assert list(compile_outputs(bundle, ["profiles.yml"])) == ["profiles.yml"]
    assert set(compile_outputs(bundle)) == set(KINDS)
    with pytest.raises(UsageError, match=r"profile\.yml"):
        compile_outputs(bundle, ["profile.yml"])


@pytest.mark.parametrize("namespace", ["", "Sales", "a_b", "-a", "a-", "a.b", "x" * 64, "a\n"])
def test_a_namespace_that_kubernetes_does_not_take_is_refused(example: Path, namespace: str) -> None:
    with pytest.raises(UsageError, match="namespace"):
        compile_bundle(example / "orders", place=ClusterPlace(namespace))


@pytest.mark.parametrize("name", ["A", "a_b", "a..b", "x" * 254, "a/b", "a\n"])
def test_a_config_map_that_kubernetes_does_not_take_is_refused(example: Path, name: str) -> None:
    with pytest.raises(UsageError, match="ConfigMap"):
        compile_bundle(example / "orders", place=ClusterPlace("sales", name))


def test_artifacts_that_do_not_fit_are_refused_and_the_rest_is_made(example: Path) -> None:
    path = example / "orders" / "floe.yaml"
    more = "".join(f"  - {{name: bronze_{one}, description: '{'x' * 1500}'}}\n" for one in range(800))
    path.write_text(path.read_text().replace("schedule:", f"{more}schedule:", 1))
    bundle = compile_bundle(example / "orders")
    with pytest.raises(WrongStateError, match="do not fit into a ConfigMap") as caught:
        compile_outputs(bundle)
    assert "1048576" in caught.value.why
    assert list(compile_outputs(bundle, ["profiles.yml"])) == ["profiles.yml"]


def test_a_refusal_of_the_rbac_plugin_stands_at_its_line(bundle: Bundle, example: Path) -> None:
    with pytest.raises(SpecError) as caught:
        compile_bundle(example / "orders", place=ClusterPlace("kube-system"))
    (problem,) = caught.value.problems
    assert (problem.code, problem.field) == ("FLOE-E501", "plugins.rbac.type")
    assert problem.line > 0


ENGINE = """
    from floe_compute_duckdb.plugin import DuckDBComputePlugin

    class Plugin(DuckDBComputePlugin):
        name = "engine"

        def dbt_target(self, request):
            {body}
"""


@pytest.mark.requirement("WU6-X3")
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return {'type': 'x', 'password': 'planted-value'}", "FLOE-E402"),
        ("return {'type': 'x', 'password': '{{ env_var(\"P\", \"planted-value\") }}'}", "FLOE-E402"),
        ("return {'attach': [{'path': 'postgres://me:planted-value@host/db'}]}", "FLOE-E402"),  # nosec B105 - planted
        ("raise RuntimeError('planted-value')", "FLOE-E401"),
        ("return {'type': 'duckdb', 'password': '{{ env_var(\"P\") }}'}", ""),
    ],
)
def test_a_credential_never_gets_into_a_profile(
    example: Path, edit: Edit, plugin_module: Callable[..., PluginEntry], body: str, code: str
) -> None:
    entry = plugin_module(PluginType.COMPUTE, "engine", ENGINE.replace("{body}", body))
    edit(example / "manifest.yaml", "type: duckdb", "type: engine")
    registry = Registry([*Registry().entries(), entry])
    if not code:
        assert "env_var" in compile_outputs(compile_bundle(example / "orders", registry=registry))["profiles.yml"]
        return
    with pytest.raises(SpecError) as caught:
        compile_bundle(example / "orders", registry=registry)
    assert [one.code for one in caught.value.problems] == [code]
    chain = f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"
    assert "planted-value" not in chain


def test_the_artifacts_keep_to_their_schema(bundle: Bundle) -> None:
    schema = CompiledArtifacts.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    kept = json.loads(bundle.artifacts.to_json())
    jsonschema.validate(kept, schema)
    assert kept["version"] == schema["properties"]["version"]["const"]
    del kept["enforcement_result"]
    with pytest.raises(jsonschema.ValidationError, match="enforcement_result"):
        jsonschema.validate(kept, schema)


def test_the_artifacts_hold_all_that_was_written(bundle: Bundle) -> None:
    made = bundle.artifacts
    assert [one.name for one in made.sensors] == ["orders_when_healthy"]
    assert set(made.sensors[0].plugins) == {"compute", "catalog", "storage", "telemetry_backend"}
    assert (made.lineage.enabled, made.logging.level, made.logging.format) == (True, "info", "text")
    assert [(one.name, one.scope) for one in made.inheritance] == [("example-platform", None)]
    assert made.retention is None


MAKE = """
import sys
from pathlib import Path
from floe_core.compilation import compile_bundle, compile_outputs, write_outputs
bundle = compile_bundle(Path(sys.argv[1]))
outputs = compile_outputs(bundle) | {"compiled_artifacts.json": bundle.artifacts.to_json()}
write_outputs(Path(sys.argv[2]), outputs)
"""
WORLDS = [
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "2", "TZ": "America/Lima", "LC_ALL": "C.UTF-8"},
]


@pytest.mark.requirement("WU6-AC5")
def test_equal_input_gives_equal_files_in_every_world(bundle: Bundle, example: Path, tmp_path: Path) -> None:
    kept: list[dict[str, bytes]] = []
    for number, world in enumerate(WORLDS):
        home = tmp_path / f"home-{number}"
        home.mkdir()
        (home / "out").mkdir()
        environment = {**os.environ, **world, "SOURCE_DATE_EPOCH": "1700000000"}
        product = os.path.relpath(example / "orders", home) if number else str(example / "orders")
        subprocess.run([sys.executable, "-c", MAKE, product, "out"], cwd=home, env=environment, check=True, timeout=60)
        kept.append({path.name: path.read_bytes() for path in sorted((home / "out").iterdir())})
    assert kept[0] == kept[1]
    assert set(kept[0]) == {*KINDS, "compiled_artifacts.json"}
    assert b"2023-11-14T22:13:20Z" in kept[0]["compiled_artifacts.json"]


def test_outputs_are_written_by_name(bundle: Bundle, tmp_path: Path) -> None:
    written = write_outputs(tmp_path / "out", compile_outputs(bundle))
    assert [path.name for path in written] == [path.name for path in written if path.is_file()]
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(KINDS)


def test_a_manifest_and_its_parent_both_count(example: Path) -> None:
    parent = (example / "manifest.yaml").read_text() + "\nscope: enterprise\n"
    (example / "enterprise.yaml").write_text(parent)
    (example / "manifest.yaml").write_text(
        "apiVersion: floe.dev/v1\nkind: Manifest\nscope: domain\nparent_manifest: enterprise.yaml\n"
        "metadata: {name: sales, version: 2.0.0, owner: sales}\n"
    )
    made = compile_product(example / "orders")
    assert [(one.name, one.scope) for one in made.inheritance] == [
        ("sales", "domain"),
        ("example-platform", "enterprise"),
    ]
    (example / "enterprise.yaml").write_text(parent + "# a comment\n")
    assert compile_product(example / "orders").metadata.source_hash != made.metadata.source_hash
