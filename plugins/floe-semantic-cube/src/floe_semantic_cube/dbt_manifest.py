"""What is read of dbt's manifest v12: models with their columns, and generic tests.

Only what is used is modelled; unknown fields pass. Source of the contract: dbt's published schema manifest/v12.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from floe_core.plugins import SemanticLayerError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

if TYPE_CHECKING:
    from collections.abc import Mapping

N = TypeVar("N", "Model", "GenericTest")
SCHEMA = "/dbt/manifest/v12.json"


class _Read(BaseModel):
    """A part of the manifest."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Constraint(_Read):
    """A constraint of a contract; `columns` is given at the model only."""

    type: str
    columns: tuple[str, ...] | None = None


class ColumnConfig(_Read):
    """The newer place of a column's meta and tags."""

    meta: dict[str, Any] = Field(default_factory=dict)
    tags: tuple[str, ...] = ()


class Column(_Read):
    """A documented column."""

    name: str
    description: str = ""
    data_type: str | None = None
    quote: bool | None = None
    constraints: tuple[Constraint, ...] = ()
    tags: tuple[str, ...] = ()
    meta: dict[str, Any] = Field(default_factory=dict)
    config: ColumnConfig = ColumnConfig()

    @property
    def all_meta(self) -> dict[str, Any]:
        """Meta of both places; the newer wins."""
        return {**self.meta, **self.config.meta}

    @property
    def all_tags(self) -> frozenset[str]:
        """Tags of both places."""
        return frozenset((*self.tags, *self.config.tags))


class NodeConfig(_Read):
    """What is used of a node's configuration."""

    enabled: bool = True
    materialized: str = "view"
    meta: dict[str, Any] = Field(default_factory=dict)
    where: str | None = None
    severity: str = "ERROR"
    error_if: str = "!= 0"


class Model(_Read):
    """A model that has a relation in the database."""

    unique_id: str
    name: str
    alias: str | None = None
    database: str | None = None
    db_schema: str = Field(default="", alias="schema")
    relation_name: str | None = None
    description: str = ""
    original_file_path: str = ""
    patch_path: str | None = None
    access: str = "protected"
    tags: tuple[str, ...] = ()
    meta: dict[str, Any] = Field(default_factory=dict)
    config: NodeConfig = NodeConfig()
    columns: dict[str, Column] = Field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    version: str | int | float | None = None
    latest_version: str | int | float | None = None

    @field_validator("columns")
    @classmethod
    def _by_name(cls, columns: dict[str, Column]) -> dict[str, Column]:
        # dbt keys them by name; nothing below depends on a foreign writer doing so too.
        return {column.name: column for column in columns.values()}

    @property
    def all_meta(self) -> dict[str, Any]:
        """Meta of both places; the newer wins."""
        return {**self.meta, **self.config.meta}

    @property
    def place(self) -> str:
        """The file that describes the model, else that of its SQL, with its name."""
        described = (self.patch_path or "").partition("://")[2]
        return f"{described or self.original_file_path or 'manifest.json'}, model {self.name}"


class WhichTest(_Read):
    """Which generic test it is, and its arguments."""

    name: str
    kwargs: dict[str, Any] = Field(default_factory=dict)


class Depends(_Read):
    """The nodes that a node reads."""

    nodes: tuple[str, ...] = ()


class GenericTest(_Read):
    """A generic test."""

    unique_id: str
    attached_node: str | None = None
    column_name: str | None = None
    test_metadata: WhichTest
    depends_on: Depends = Depends()
    meta: dict[str, Any] = Field(default_factory=dict)
    config: NodeConfig = NodeConfig()

    @property
    def all_meta(self) -> dict[str, Any]:
        """Meta of both places; the newer wins."""
        return {**self.meta, **self.config.meta}

    @property
    def is_strict(self) -> bool:
        """Whether a single row against it fails the build; only then what it says of the rows can be relied on."""
        return self.config.severity.lower() != "warn" and "".join(self.config.error_if.split()) in {"!=0", ">0", ">=1"}


class Manifest(_Read):
    """Models that can be queried, and the generic tests that hold for every row, both by unique id."""

    adapter: str
    models: dict[str, Model]
    tests: tuple[GenericTest, ...]

    def tests_of(self, model: Model) -> tuple[GenericTest, ...]:
        """The tests attached to `model`."""
        return tuple(self._by_model.get(model.unique_id, ()))

    @cached_property
    def _by_model(self) -> dict[str, list[GenericTest]]:
        found: dict[str, list[GenericTest]] = {}
        for test in self.tests:
            found.setdefault(test.attached_node or "", []).append(test)
        return found


def read(raw: Mapping[str, Any]) -> Manifest:
    """Read a manifest.

    Raises:
        SemanticLayerError: It is of another schema version, or broken.
    """
    metadata = raw.get("metadata")
    version = metadata.get("dbt_schema_version") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(version, str) or not version.endswith(SCHEMA):
        raise SemanticLayerError(
            "this is no dbt manifest that can be read",
            where="manifest.json, metadata.dbt_schema_version",
            why=f"found {str(version)[:100]!r}, and {SCHEMA} is needed",
            remedy="build the product with dbt 1.8 or later",
        )
    nodes = raw.get("nodes")
    if not isinstance(nodes, dict):
        raise SemanticLayerError("dbt's manifest has no nodes", where="manifest.json", remedy="build the product again")
    models = [_node(Model, node) for node in nodes.values() if _is(node, "model")]
    tests = [_node(GenericTest, node) for node in nodes.values() if _is(node, "test") and node.get("test_metadata")]
    return Manifest(
        adapter=str(metadata.get("adapter_type") or ""),
        models={
            model.unique_id: model
            for model in sorted(models, key=lambda one: one.unique_id)
            if model.config.enabled and model.config.materialized != "ephemeral"
        },
        # A test with a `where` says nothing of the other rows.
        tests=tuple(
            test
            for test in sorted(tests, key=lambda one: one.unique_id)
            if test.config.enabled and not test.config.where
        ),
    )


def _is(node: Any, kind: str) -> bool:
    return isinstance(node, dict) and node.get("resource_type") == kind


def _node(shape: type[N], node: dict[str, Any]) -> N:
    try:
        return shape.model_validate(node)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise SemanticLayerError(
            "dbt's manifest holds a node that cannot be read",
            where=f"manifest.json, {str(node.get('unique_id'))[:200]}: {'.'.join(map(str, first['loc']))}",
            why=first["msg"],
            remedy="build the product again",
        ) from None
