"""What dbt's manifest says, in Dagster's terms: an asset a model, seed and snapshot, a check a test.

The same assets, dependencies and checks as dagster-dbt makes (a test holds the two side by side), and two kinds of
checks more: unit tests, and singular tests that read several models. Importing dagster-dbt loads all of dbt, which
would double the time that a code location takes to load; here dbt is imported when a run builds something.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from dagster import AssetCheckSpec, AssetDep, AssetKey, AssetSpec, TableColumn, TableSchema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from floe_orchestrator_dagster.product import Product

UNTIERED: Final = "sources"
"""The group of what is not listed in floe.yaml, such as seeds."""

UNIQUE_ID: Final = "dbt/unique_id"
"""The metadata under which an asset and a check keep dbt's id."""

MATERIALIZED: Final = "dbt/materialization_type"

_ASSETS: Final = frozenset({"model", "seed", "snapshot"})
_TESTS: Final = frozenset({"test", "unit_test"})
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")
_TAG: Final = re.compile(r"[A-Za-z0-9._-]{1,63}")
"""What Dagster takes as the key of a tag; dbt takes anything."""


@dataclass(frozen=True)
class DbtSpecs:
    """The assets and checks of a product's dbt project.

    Attributes:
        product: The product.
        manifest: dbt's manifest, schema v12.
    """

    product: Product
    manifest: Mapping[str, Any]

    @cached_property
    def assets(self) -> tuple[AssetSpec, ...]:
        """An asset for each node that a build makes, in the manifest's order."""
        return tuple(self._asset(node) for node in self._nodes.values() if _is_asset(node))

    @cached_property
    def checks(self) -> tuple[AssetCheckSpec, ...]:
        """A check for each test of a node that is an asset; the others run too, and can only fail the run."""
        found = (self._check(node) for node in self._nodes.values() if node["resource_type"] in _TESTS)
        return tuple(check for check in found if check is not None)

    def key(self, node: Mapping[str, Any]) -> AssetKey:
        """The key `<product>/<schema>/<name>`, unique over all products and equal in both lanes.

        In the Iceberg lane a schema is a namespace below the product's own.
        """
        schema = str(node.get("schema") or node["resource_type"])
        schema = schema.removeprefix(f"{self.product.slug}.")
        return AssetKey([self.product.slug, schema, node["name"]])

    def key_of(self, model: str) -> AssetKey | None:
        """The key of the model with that name; None where there is none."""
        found = (node for node in self._nodes.values() if node["name"] == model and node["resource_type"] == "model")
        node = next(found, None)
        return self.key(node) if node is not None else None

    @cached_property
    def _nodes(self) -> dict[str, Mapping[str, Any]]:
        manifest = self.manifest
        return {**manifest.get("sources", {}), **manifest["nodes"], **manifest.get("unit_tests", {})}

    def _asset(self, node: Mapping[str, Any]) -> AssetSpec:
        owner = self.product.spec.metadata.owner
        name = node["name"]
        return AssetSpec(
            self.key(node),
            deps=[AssetDep(key) for key in sorted({self.key(self._nodes[one]) for one in self._upstream(node)})],
            description=_description(node),
            metadata=self._metadata(node),
            skippable=True,
            group_name=self.product.tiers.get(name, UNTIERED),
            code_version=_code_version(node),
            owners=[_owner(owner)] if owner else None,
            tags={tag: "" for tag in node.get("tags", ()) if _TAG.fullmatch(tag)},
            kinds={"dbt", *self._kinds(node)},
        )

    def _kinds(self, node: Mapping[str, Any]) -> set[str]:
        """The engine, and the table format where the engine's adapter writes one."""
        kinds = set(str(self.manifest.get("metadata", {}).get("adapter_type", "")).split("_")) - {""}
        return kinds - {"iceberg"} if _is_view(node) else kinds

    def _metadata(self, node: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {UNIQUE_ID: node["unique_id"], "dbt/file": node["original_file_path"]}
        found[MATERIALIZED] = node.get("config", {}).get("materialized", "")
        parts = [node.get("database"), node.get("schema"), node.get("alias")]
        found["dagster/table_name"] = ".".join(part for part in parts if part)
        if columns := node.get("columns"):
            found["dagster/column_schema"] = TableSchema(
                [
                    TableColumn(name, type=column.get("data_type") or "?", description=column.get("description"))
                    for name, column in columns.items()
                ]
            )
        return found

    def _upstream(self, node: Mapping[str, Any]) -> Iterator[str]:
        """Ids of the assets and sources that a node reads; an ephemeral model stands for what it reads itself."""
        for unique_id in node.get("depends_on", {}).get("nodes", ()):
            above = self._nodes.get(unique_id)
            if above is None:
                continue
            if _is_asset(above) or above["resource_type"] == "source":
                yield unique_id
            elif above["resource_type"] == "model":
                yield from self._upstream(above)

    def _check(self, node: Mapping[str, Any]) -> AssetCheckSpec | None:
        subject = self._subject(node)
        if subject is None:
            return None
        others = {self.key(self._nodes[one]) for one in self._upstream(node)} - {self.key(subject)}
        severity = str(node.get("config", {}).get("severity") or "error").lower()
        return AssetCheckSpec(
            node["name"],
            asset=self.key(subject),
            description=node.get("description") or None,
            additional_deps=sorted(others),
            metadata={UNIQUE_ID: node["unique_id"]},
            # A unit test judges the SQL before it runs; dbt itself leaves out a model whose unit tests fail.
            blocking=severity == "error" and node["resource_type"] == "test",
        )

    def _subject(self, node: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The asset that a test is about: what it is attached to, else the last that is built of what it reads."""
        named = node.get("attached_node")
        if node["resource_type"] == "test" and named is None and (meant := _meant(node)):
            known = (one for one, other in self._nodes.items() if _is_asset(other) and other["name"] == meant)
            named = next(known, None)
        read = [named] if named else [one for one in self._upstream(node) if _is_asset(self._nodes[one])]
        if not read or read[0] not in self._nodes or not _is_asset(self._nodes[read[0]]):
            return None
        return self._nodes[read[0] if len(read) == 1 else max(read, key=self._depth)]

    def _depth(self, unique_id: str) -> tuple[int, str]:
        """How many assets stand above one another over this one; the name makes the order total."""
        return self._depths(unique_id, {}), unique_id

    def _depths(self, unique_id: str, known: dict[str, int]) -> int:
        if unique_id not in known:
            above = self._upstream(self._nodes[unique_id])
            known[unique_id] = 1 + max((self._depths(one, known) for one in above), default=0)
        return known[unique_id]


def _is_asset(node: Mapping[str, Any]) -> bool:
    return node["resource_type"] in _ASSETS and node.get("config", {}).get("materialized") != "ephemeral"


def _is_view(node: Mapping[str, Any]) -> bool:
    return bool(node.get("config", {}).get("materialized") == "view")


def _meant(node: Mapping[str, Any]) -> str:
    """The model that a singular test names under `meta.dagster.ref`, as dagster-dbt reads it."""
    meta = node.get("config", {}).get("meta") or node.get("meta") or {}
    return str(meta.get("dagster", {}).get("ref", {}).get("name", ""))


def _owner(owner: str) -> str:
    """An address as it is, a team's name in Dagster's form."""
    return owner if _ADDRESS.fullmatch(owner) else f"team:{owner}"


def _description(node: Mapping[str, Any]) -> str:
    said = node.get("description") or f"dbt {node['resource_type']} {node['name']}"
    code = node.get("raw_code")
    return f"{said}\n\n```sql\n{code}\n```" if code else said


def _code_version(node: Mapping[str, Any]) -> str | None:
    """Changes when the SQL does, or the seed's rows."""
    code = node.get("raw_code")
    if code:
        return hashlib.sha256(code.encode()).hexdigest()[:40]
    checksum: str | None = node.get("checksum", {}).get("checksum")
    return checksum
