"""The JSON Schemas of what people write and of what is compiled: made from the models, and checked in for editors.

`# yaml-language-server: $schema=<path of product.schema.json>` in the first line of a `floe.yaml` makes an editor
complete and check it while it is written.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from pydantic.json_schema import models_json_schema

from floe_core.spec.base import CHECK
from floe_core.spec.jsonschema import EditorJsonSchema

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
TITLES: Final = {
    "product": "floe.yaml, a data product",
    "manifest": "manifest.yaml, a platform",
    "artifacts": "compiled_artifacts.json, what floe compile writes",
}
"""The kinds of files, and the title of each one's schema."""

NO_LITERALS: Final = "no value is a credential"


def made(kind: str) -> dict[str, Any]:
    """The schema of one of `TITLES`, made from the models now."""
    body = {"product": _product, "manifest": _manifest, "artifacts": _artifacts}[kind]()
    return {"$schema": DIALECT, "$id": f"https://floe.dev/schemas/v1/{kind}.schema.json", **body, "title": TITLES[kind]}


def text(kind: str) -> str:
    """The schema as the checked-in file has it, to the byte."""
    return json.dumps(made(kind), indent=2, ensure_ascii=False) + "\n"


def checked_in(kind: str) -> Traversable:
    """The checked-in file of one kind."""
    return resources.files(__name__) / f"{kind}.schema.json"


def _product() -> dict[str, Any]:
    from floe_core.spec import FloeSpec

    schema = FloeSpec.model_json_schema(by_alias=True, schema_generator=EditorJsonSchema)
    return {**schema, CHECK: NO_LITERALS}


def _artifacts() -> dict[str, Any]:
    from floe_core.compilation import CompiledArtifacts

    return CompiledArtifacts.model_json_schema(by_alias=True, schema_generator=EditorJsonSchema)


def _manifest() -> dict[str, Any]:
    """Two models in one schema: `scope: domain` decides, as it does when a manifest is read."""
    from floe_core.spec.platform import DomainManifest, PlatformManifest

    models = [(PlatformManifest, "validation"), (DomainManifest, "validation")]
    _, schema = models_json_schema(models, by_alias=True, schema_generator=EditorJsonSchema)  # type: ignore[arg-type] # the literal is a str here
    return {
        "description": "A platform: which plugins, how they are set, which rules.",
        "type": "object",
        "properties": {
            "scope": {
                "description": "Whom it is for: an enterprise, or a domain with one as its parent; or nobody else.",
                "enum": ["enterprise", "domain", None],
            }
        },
        "if": {"required": ["scope"], "properties": {"scope": {"const": "domain"}}},
        "then": {"$ref": "#/$defs/DomainManifest"},
        "else": {"$ref": "#/$defs/PlatformManifest"},
        CHECK: NO_LITERALS,
        **schema,
    }
