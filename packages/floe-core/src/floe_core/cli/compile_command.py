"""`floe compile`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from floe_core.cli.arguments import PATH, json_option, manifest_option, product_argument, told
from floe_core.cli.failing import readable

if TYPE_CHECKING:
    from floe_core.compilation.artifacts import CompiledArtifacts

ARTIFACTS = Path("target", "compiled_artifacts.json")
OUTPUTS = ("profiles.yml", "definitions.py", "configmap.yaml", "rbac.yaml")
"""The kinds of `compilation.outputs`, which is too slow to import for `--help` and a shell's completion."""


class Places(TypedDict):
    """Where the command writes, and where in Kubernetes its objects go."""

    output: Path | None
    outputs: Path | None
    only: tuple[str, ...]
    namespace: str
    config_map: str


@click.command("compile", epilog="Example: floe compile demo/customer-360 --outputs build")
@product_argument
@manifest_option
@click.option("--output", type=PATH, help=f"Where to write; {ARTIFACTS} in the product's folder, or - for here.")
@click.option("--outputs", type=PATH, help=f"Also write {', '.join(OUTPUTS)} into this folder.")
@click.option("--only", type=click.Choice(OUTPUTS), multiple=True, help="Only this of --outputs; can be repeated.")
@click.option("--namespace", default="floe", show_default=True, help="The namespace of the objects for Kubernetes.")
@click.option("--config-map", default="", help="The ConfigMap's name; <product>-artifacts by default.")
@json_option
@readable
def command(product: Path, manifest: Path | None, *, as_json: bool, **places: Unpack[Places]) -> None:
    """Check PRODUCT (a folder or a floe.yaml) and write its artifacts; equal input gives equal bytes."""
    from floe_core.compilation.outputs import ClusterPlace
    from floe_core.compilation.pipeline import compile_bundle
    from floe_core.compilation.write import write_atomic

    if places["only"] and places["outputs"] is None:
        raise click.UsageError("--only chooses among --outputs, so give --outputs too")
    bundle = compile_bundle(product, manifest, place=ClusterPlace(places["namespace"], places["config_map"]))
    artifacts, folder = bundle.artifacts, product if product.is_dir() else product.parent
    written: tuple[Path, ...] = ()
    if places["outputs"] is not None:
        from floe_core.compilation.outputs import compile_outputs, write_outputs

        back = os.path.relpath(folder.resolve(), places["outputs"].resolve())
        written = write_outputs(places["outputs"], compile_outputs(bundle, places["only"] or OUTPUTS, product_dir=back))
    if places["output"] == Path("-"):
        click.echo(artifacts.to_json(), nl=False)
        return
    place = places["output"] or folder / ARTIFACTS
    write_atomic(place, artifacts.to_json())
    _show(artifacts, (place, *written), as_json=as_json)


def _show(artifacts: CompiledArtifacts, written: tuple[Path, ...], *, as_json: bool) -> None:
    verdict, seen = artifacts.enforcement_result, artifacts.dbt_manifest
    if as_json:
        summary = {
            "ok": True,
            "output": str(written[0]),
            "outputs": [str(path) for path in written[1:]],
            "dbt_manifest": seen.model_dump(mode="json"),
            "enforcement_result": verdict.model_dump(mode="json"),
        }
        click.echo(json.dumps(summary, indent=2))
        return
    name, models = artifacts.metadata.product_name, len(artifacts.models)
    click.echo(f"✓ {name}: {models} models, {len(artifacts.plugins)} plugins → {', '.join(map(str, written))}")
    click.echo(f"  dbt's manifest: {f'{seen.models} models, {seen.tests} with a test' if seen.used else seen.why}")
    click.echo(told(verdict))
