"""The proof of the joined index on any machine: two platform images, a real local registry, pulled back by value."""

from __future__ import annotations

import tempfile
from pathlib import Path

from floe_core.errors import WrongStateError

from floe_ops.clients.registry import Reference
from floe_ops.images.join import PLATFORMS, JoinedIndex, join, run_crane
from floe_ops.images.layout import write_layout
from floe_ops.images.local_registry import serving

NAME = "floe/cube-store"
TAG = "proof"


def push_platform_image(crane: Path, registry: str, platform: str, folder: Path) -> Reference:
    """Build the tiny image of `platform`, push it to `registry` and give its reference by digest.

    Raises:
        WrongStateError: crane pushed another digest than was built.
    """
    architecture = platform.partition("/")[2]
    layout = folder / architecture
    built = write_layout(layout, platform, {"etc/floe-platform": f"{platform}\n".encode()})
    name = f"{NAME}-{architecture}"
    pushed = run_crane(crane, "push", str(layout), f"{registry}/{name}:{TAG}")
    if not pushed.endswith(built):
        raise WrongStateError("crane pushed another image", where=pushed, why=f"built {built}")
    return Reference(registry, name, digest=built)


def prove_locally(crane: Path) -> JoinedIndex:
    """Push two platform images to a local registry, join them, pull the index back whole and verify it."""
    with tempfile.TemporaryDirectory() as folder, serving(crane) as registry:
        images = {platform: push_platform_image(crane, registry, platform, Path(folder)) for platform in PLATFORMS}
        return join(images, f"{registry}/{NAME}:{TAG}", crane=crane, deep=True)
