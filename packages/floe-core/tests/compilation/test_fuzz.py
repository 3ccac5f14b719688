"""Any product beside any dbt project: artifacts, or an error for people; never another exception."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from floe_core.compilation import Bundle, compile_bundle, compile_outputs
from floe_core.errors import FloeError
from floe_core.registry import Registry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

DATA = Path(__file__).parents[1] / "data"
REGISTRY = Registry()
NAMES = st.sampled_from(["bronze_a", "silver_b", "gold_c", "x", "A_1", "bronze_a_v2"])
PIECES = [
    "{{ ref('",
    "') }}",
    "{{",
    "}}",
    "{%",
    "%}",
    "bronze_a",
    "silver_b",
    "'",
    "if",
    "{# ",
    " #}",
    "select 1\n",
    "password = 'abcdefgh'",
]
SQL = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
TRANSFORM = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "tier": st.sampled_from(["bronze", "silver", "gold"]),
        "dependsOn": st.lists(NAMES, max_size=3, unique=True),
        "tags": st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True),
        "qualityChecks": st.lists(st.sampled_from(["unique", "not_null"]), max_size=2, unique=True),
    },
)
COLUMN = st.fixed_dictionaries(
    {"name": NAMES, "type": st.sampled_from(["string", "date"])},
    optional={"classification": st.sampled_from(["public", "pii"]), "description": st.sampled_from(["", "It."])},
)
PORT = st.fixed_dictionaries({"name": NAMES}, optional={"schema": st.lists(COLUMN, max_size=2)})
DESTINATION = st.fixed_dictionaries(
    {"name": st.sampled_from(["a", "b"]), "sinkType": st.just("pg"), "sourceTable": NAMES},
    optional={"connectionSecretRef": st.sampled_from([{"env": "X"}, {"secret": "x"}, {"file": "x"}])},
)
RULES = st.fixed_dictionaries(
    {"policy_enforcement_level": st.sampled_from(["off", "warn", "strict"])},
    optional={
        "required_tags": st.just({"gold": ["a"]}),
        "require_classification": st.booleans(),
        "require_column_descriptions": st.booleans(),
        "restricted_classifications": st.just(["pii"]),
        "data_retention_days": st.integers(1, 9),
        "minimum_test_coverage": st.integers(0, 100),
    },
)
MANIFEST = (
    st.none() | st.binary(max_size=40) | st.sampled_from(["nodes", "metadata", "{}", '{"nodes": {}}']).map(str.encode)
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    transforms=st.lists(TRANSFORM, min_size=1, max_size=4, unique_by=lambda one: str(one["name"])),
    ports=st.lists(PORT, max_size=2),
    destinations=st.lists(DESTINATION, max_size=2),
    rules=RULES,
    files=st.none() | st.dictionaries(NAMES, SQL, max_size=4),
    manifest=MANIFEST,
)
def test_any_product_gives_artifacts_or_an_error_for_people(  # noqa: PLR0913, PLR0917 - one argument a part
    transforms: list[dict[str, Any]],
    ports: list[dict[str, Any]],
    destinations: list[dict[str, Any]],
    rules: dict[str, Any],
    files: dict[str, str] | None,
    manifest: bytes | None,
) -> None:
    with tempfile.TemporaryDirectory(prefix="floe-fuzz-") as name:
        folder = Path(shutil.copytree(DATA, Path(name, "x")))
        product = yaml.safe_load((folder / "orders" / "floe.yaml").read_text())
        product |= {"transforms": transforms, "outputPorts": ports, "destinations": destinations, "governance": rules}
        product["governance"] = {"policy_enforcement_level": rules["policy_enforcement_level"]}
        platform = yaml.safe_load((folder / "manifest.yaml").read_text()) | {"governance": rules}
        (folder / "manifest.yaml").write_text(yaml.safe_dump(platform))
        (folder / "orders" / "floe.yaml").write_text(yaml.safe_dump(product))
        if files is not None:
            (folder / "orders" / "models").mkdir()
            for model, sql in files.items():
                (folder / "orders" / "models" / f"{model}.sql").write_text(sql)
        if manifest is not None:
            (folder / "orders" / "target").mkdir()
            (folder / "orders" / "target" / "manifest.json").write_bytes(manifest)
        bundle: Bundle | None = None
        with suppress(FloeError):
            bundle = compile_bundle(folder / "orders", registry=REGISTRY)
        if bundle is None:
            return
        result = bundle.artifacts.enforcement_result
        assert set(result.looked_at) == set(result.policy_types_checked)
        assert result.passed == (result.error_count == 0)
        assert compile_outputs(bundle)["profiles.yml"]
