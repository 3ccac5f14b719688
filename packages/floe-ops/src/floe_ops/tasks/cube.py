"""Invoke tasks of the namespace `cube`."""

from __future__ import annotations

import json as json_text
from dataclasses import asdict
from typing import TYPE_CHECKING

from floe_ops import console, evidence
from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from pathlib import Path

    from invoke.context import Context

    from floe_ops.images.join import JoinedIndex


@task(
    help={
        "amd64": "Image for linux/amd64 (tag or digest). Without any image: the proof on a local registry.",
        "arm64": "Image for linux/arm64 (tag or digest).",
        "to": "Registry, name and explicit tag of the index to push; never `latest`.",
        "dry-run": "Check the sources and say what would be pushed; write nothing.",
        "json": "Print the result as JSON.",
    }
)
def multiarch(  # noqa: PLR0913 - one parameter a flag
    context: Context, *, amd64: str = "", arm64: str = "", to: str = "", dry_run: bool = False, json: bool = False
) -> None:
    """Join two platform images into ONE image index by digest, pull it back and verify it."""
    del context
    given = {"--amd64": amd64, "--arm64": arm64, "--to": to}
    if any(given.values()):
        joined = _join(given, dry_run=dry_run)
    elif dry_run:
        console.say("would push two small platform images to a registry on loopback, join them and pull them back")
        return
    else:
        joined = _prove()
    if json:
        console.say(json_text.dumps(asdict(joined), indent=1))
    elif joined.digest:
        console.say(f"✓ {joined.sentence()}")
    else:
        console.say(f"would push {joined.reference} of:")
        for image in joined.images:
            console.say(f"  {image.platform}  {image.source}  {image.size / 1e6:.1f} MB")


def _join(given: dict[str, str], *, dry_run: bool) -> JoinedIndex:
    from floe_core.errors import UsageError

    from floe_ops.clients.registry import Reference
    from floe_ops.images.join import join

    missing = [flag for flag, value in given.items() if not value]
    if missing:
        raise UsageError(f"{', '.join(missing)} missing", remedy="give both images and --to, or nothing for the proof")
    images = {
        "linux/amd64": Reference.parse(given["--amd64"]),
        "linux/arm64": Reference.parse(given["--arm64"]),
    }
    return join(images, given["--to"], crane=None if dry_run else _crane())


def _prove() -> JoinedIndex:
    from floe_core.errors import FloeError

    from floe_ops.images.proof import prove_locally

    try:
        joined = prove_locally(_crane())
    except FloeError as error:
        evidence.record("WU2-AC1", "failed", f"{error.what}: {error.why}".rstrip(": "))
        raise
    evidence.record("WU2-AC1", "passed", f"pulled back from a local registry: {joined.sentence()}")
    return joined


def _crane() -> Path:
    from floe_ops import toolchain

    return toolchain.ensure("crane")
