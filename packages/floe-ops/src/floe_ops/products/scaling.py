"""A demo's facts many times over, as Parquet, with planted truths of their own; made by the product's own generator."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from floe_core.compilation.write import write_atomic
from floe_core.errors import MissingToolError, UsageError

from floe_ops.products import truths

if TYPE_CHECKING:
    from pathlib import Path

GENERATOR = "generate_seeds.py"
MADE = "scale.json"
BUILT = "scale"
LIMIT_S = 1800.0


def generated(product_dir: Path, folder: Path, scale: int) -> Path:
    """The folder with the Parquet files and `truths.yaml` of `scale` times the facts; made when it is not there.

    Raises:
        UsageError: The product has no generator.
        MissingToolError: The generator failed; its last words say why.
    """
    program = product_dir / GENERATOR
    if not program.is_file():
        raise UsageError(
            f"{product_dir.name} cannot be scaled",
            where=str(program),
            why="it has no generator",
            remedy="leave --scale out",
        )
    # What the generator imports lies beside it, or beside the products.
    programs = [*product_dir.glob("*.py"), *product_dir.parent.glob("*.py")]
    wanted = {"scale": scale, "generator": max(one.stat().st_mtime_ns for one in programs)}
    if _made(folder) == wanted:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MADE).unlink(missing_ok=True)
    words = [sys.executable, str(program), "--scale", str(scale), "--out", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_S, check=False)  # noqa: S603 - the product's own program
    if done.returncode or not (folder / truths.FILE).is_file():
        raise MissingToolError(
            f"the seeds of {product_dir.name} could not be scaled",
            where=" ".join(words[1:]),
            why=(done.stderr.strip() or done.stdout.strip() or "it wrote no truths.yaml").splitlines()[-1],
            remedy="run it by hand",
        )
    (folder / MADE).write_text(json.dumps(wanted), encoding="utf-8")
    return folder


def begun(lane: Path, scale: int) -> bool:
    """Whether the lane's tables are of another scale, so that its incremental models must be built anew.

    They take what is new, and other facts of the same days are not. Until `built` says otherwise, a lane for which this
    was true counts as one of neither scale: a build may be killed.

    Args:
        lane: The folder of the lane's files.
        scale: How many times the committed facts are to be built.
    """
    file = lane / BUILT
    before = file.read_text(encoding="utf-8") if file.is_file() else "1"
    if before == str(scale):
        return False
    built(lane, 0)
    return True


def built(lane: Path, scale: int) -> None:
    """Remember that the lane's tables are of this scale."""
    write_atomic(lane / BUILT, str(scale))


def _made(folder: Path) -> object:
    try:
        return json.loads((folder / MADE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
