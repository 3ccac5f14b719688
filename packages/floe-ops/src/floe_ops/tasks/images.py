"""Invoke tasks of the namespace `images`."""

from __future__ import annotations

import json as json_text
from typing import TYPE_CHECKING, Any

from floe_ops import console
from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from invoke.context import Context

    from floe_ops.images.build import BuiltImage


@task(
    iterable=["only"],
    help={"only": "Build this image; may be repeated. All by default.", "json": "Print the images as JSON."},
)
def build(context: Context, *, only: list[str], json: bool = False) -> None:
    """Build the images that the chart needs from what package registries give, with no container engine."""
    del context
    from floe_ops.images import build as building
    from floe_ops.images.recipes import RECIPES

    built = building.ensure(only or RECIPES)
    if json:
        console.say(json_text.dumps([_shown(image) for image in built.values()], indent=1))
        return
    for image in built.values():
        size = image.archive.stat().st_size
        console.say(f"✓ {image.reference}  {size / 1e6:.1f} MB  {image.digest}")


@task(name="list", help={"json": "Print the images as JSON."})
def list_(context: Context, *, json: bool = False) -> None:
    """List the images, which of them are built as their sources now are, and where; builds nothing."""
    del context
    from floe_ops.images import build as building
    from floe_ops.images.recipes import RECIPES

    found = {name: building.find(name) for name in RECIPES}
    if json:
        shown = [_shown(image) if image else {"name": name, "built": False} for name, image in found.items()]
        console.say(json_text.dumps(shown, indent=1))
        return
    for name, image in found.items():
        console.say(f"✓ {image.reference}  {image.archive}" if image else f"- {name}  not built")


def _shown(image: BuiltImage) -> dict[str, Any]:
    return {
        "name": image.name,
        "built": True,
        "reference": image.reference,
        "digest": image.digest,
        "archive": str(image.archive),
        "bytes": image.archive.stat().st_size,
    }
