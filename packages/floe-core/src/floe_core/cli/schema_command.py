"""`floe schema`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from floe_core.cli.failing import readable

if TYPE_CHECKING:
    from pydantic import BaseModel

KINDS = ("product", "manifest", "artifacts")


@click.command("schema")
@click.argument("kind", type=click.Choice(KINDS))
@readable
def command(kind: str) -> None:
    """Print the JSON Schema of a floe.yaml (product), a manifest.yaml (manifest) or the compiled artifacts."""
    click.echo(json.dumps(json_schema(kind), indent=2, ensure_ascii=False))


def json_schema(kind: str) -> dict[str, object]:
    """The JSON Schema of one of `KINDS`, with the names as they are written in files."""
    from floe_core.compilation import CompiledArtifacts
    from floe_core.spec import FloeSpec, PlatformManifest

    models: dict[str, type[BaseModel]] = {
        "product": FloeSpec,
        "manifest": PlatformManifest,
        "artifacts": CompiledArtifacts,
    }
    schema = models[kind].model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
