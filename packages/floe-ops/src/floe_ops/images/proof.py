"""The proof of the joined index on any machine: two platform images, a real local registry, pulled back by value."""

from __future__ import annotations

import tempfile
from pathlib import Path

from floe_core.errors import WrongStateError

from floe_ops.clients.registry import Reference
from floe_ops.images.join import PLATFORMS, JoinedIndex, Rules, join, run_crane
from floe_ops.images.layout import write_layout
from floe_ops.images.local_registry import serving
from floe_ops.images.versions import VERSION_LABELS

NAME = "floe/cube-store"
TAG = "1.0.0"


def push_platform_image(crane: Path, registry: str, platform: str, folder: Path, *, version: str = TAG) -> Reference:
    """Build the tiny image of `platform`, push it to `registry` and give its reference by digest.

    Args:
        crane: The tool.
        registry: `host:port`.
        platform: `os/architecture`.
        folder: Where the image is laid out.
        version: What its label says; empty leaves the label out.

    Raises:
        WrongStateError: crane pushed another digest than was built.
    """
    architecture = platform.partition("/")[2]
    layout = folder / f"{architecture}-{version}"
    labels = {VERSION_LABELS[0]: version} if version else {}
    built = write_layout(layout, platform, {"etc/floe-platform": f"{platform}\n".encode()}, labels=labels)
    name = f"{NAME}-{architecture}"
    pushed = run_crane(crane, "push", str(layout), f"{registry}/{name}:{TAG}")
    if not pushed.endswith(built):
        raise WrongStateError("crane pushed another image", where=pushed, why=f"built {built}")
    return Reference(registry, name, digest=built)


def prove_locally(crane: Path) -> JoinedIndex:
    """Push two platform images to a local registry, join them twice, pull the index back whole and verify it.

    Raises:
        WrongStateError: a step failed, or the second run pushed again.
    """
    with tempfile.TemporaryDirectory() as folder, serving(crane) as registry:
        images = {platform: push_platform_image(crane, registry, platform, Path(folder)) for platform in PLATFORMS}
        to = f"{registry}/{NAME}:{TAG}"
        joined = join(images, to, crane=crane, rules=Rules(version=TAG), deep=True)
        if join(images, to, crane=crane, rules=Rules(version=TAG)).pushed:
            raise WrongStateError("the second run pushed again", where=to, why="the index was there, whole")
        return joined
