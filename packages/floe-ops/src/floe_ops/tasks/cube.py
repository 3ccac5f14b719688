"""Invoke tasks of the namespace `cube`."""

from __future__ import annotations

import json as json_text
from dataclasses import asdict
from typing import TYPE_CHECKING

from floe_ops import console, evidence
from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from invoke.context import Context

    from floe_ops.images.join import JoinedIndex, Rules

CRITERION = "WU2-AC1"


@task(
    help={
        "amd64": "Image for linux/amd64, by digest or version tag. Without any image: the proof on a local registry.",
        "arm64": "Image for linux/arm64, by digest or version tag.",
        "target": "Registry, name and explicit tag of the index to push; never `latest`.",
        "version": "What the version label of both images must say.",
        "allow-unlabelled": "Let an image pass that states no version.",
        "replace": "Move the tag when it names another image already.",
        "dry-run": "Check the sources and say what would be pushed; write nothing.",
        "json": "Print the result as JSON.",
    }
)
def multiarch(  # noqa: PLR0913 - one parameter a flag
    context: Context,
    *,
    amd64: str = "",
    arm64: str = "",
    target: str = "",
    version: str = "",
    allow_unlabelled: bool = False,
    replace: bool = False,
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Join two platform images into ONE image index by digest, pull it back and verify it."""
    del context
    from floe_ops.images.join import Rules

    given = {"--amd64": amd64, "--arm64": arm64, "--target": target}
    rules = Rules(version, allow_unlabelled, replace)
    if any(given.values()):
        joined = _join(given, rules, dry_run=dry_run)
    elif dry_run:
        console.say("would push two small platform images to a registry on loopback, join them and pull them back")
        return
    else:
        joined = _prove()
    if json:
        console.say(json_text.dumps(asdict(joined), indent=1))
    else:
        _print(joined)


def _print(joined: JoinedIndex) -> None:
    if joined.digest:
        done = "pushed" if joined.pushed else "was there already, nothing pushed"
        console.say(f"✓ {joined.reference}@{joined.digest}  {done}")
    else:
        console.say(f"would push {joined.reference} of:")
    for image in joined.images:
        version = image.version or "version unknown"
        console.say(f"  {image.platform}  {image.source}  {image.size / 1e6:.1f} MB  {version}")


def _join(given: dict[str, str], rules: Rules, *, dry_run: bool) -> JoinedIndex:
    from floe_core.errors import UsageError

    from floe_ops.clients.registry import Reference
    from floe_ops.images.join import join

    missing = [flag for flag, value in given.items() if not value]
    if missing:
        raise UsageError(
            f"{', '.join(missing)} missing", remedy="give both images and --target, or nothing for the proof"
        )
    images = {
        "linux/amd64": Reference.parse(given["--amd64"]),
        "linux/arm64": Reference.parse(given["--arm64"]),
    }
    if dry_run:
        return join(images, given["--target"], crane=None, rules=rules)
    return _recorded(lambda crane: join(images, given["--target"], crane=crane, rules=rules), "joined")


def _prove() -> JoinedIndex:
    from floe_ops.images.proof import prove_locally

    return _recorded(prove_locally, "pulled back from a local registry")


def _recorded(make: Callable[[Path], JoinedIndex], how: str) -> JoinedIndex:
    """What `make` joins, with every digest left as evidence in the run's folder; its failure too."""
    from floe_core.errors import FloeError

    try:
        joined = make(_crane())
    except FloeError as error:
        evidence.record(CRITERION, "failed", f"{error.what}: {error.why}".rstrip(": "))
        raise
    evidence.record(CRITERION, "passed", f"{how}: {joined.sentence()}")
    return joined


def _crane() -> Path:
    from floe_ops import toolchain

    return toolchain.ensure("crane")
