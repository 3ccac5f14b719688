"""Where credentials could be: the tree, built packages, artifacts, logs and reports of runs, own layers of images."""

from __future__ import annotations

import subprocess  # nosec B404 - uv is a program
from typing import TYPE_CHECKING

from floe_core.errors import NotReadyError, WrongStateError

from floe_ops import inputs
from floe_ops.audits import lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_ops.audits.leaks.staging import Staging

BUILD_S = 120.0
# Layers of images that hold files of ours; all others hold other people's programs and libraries.
OWN_LAYERS = ("floe", "products", "polaris-standin", "cube-standin")
ARTIFACTS = ("products", "helm")
WRITTEN_BY_RUNS = ("run", "report", "spool")
PRIVATE = 0o077


def tree(project: Path, staging: Staging) -> str:
    """Every file that git tracks or would add."""
    files = inputs.tree(project)
    for path in files:
        if not (project / path).is_symlink():
            staging.add_file(project / path, path)
    return f"{len(files)} files of the tree"


def packages(project: Path, scratch: Path, staging: Staging) -> str:
    """The wheels and source distributions of every package of the workspace, built for this.

    Raises:
        MissingToolError: uv is missing.
        NotReadyError: uv did not end in time.
        WrongStateError: A package cannot be built, or one is missing.
    """
    if not (project / "uv.lock").is_file():
        return "no packages (no workspace)"
    words = ["build", "--all-packages", "--out-dir", str(scratch), "--quiet", "--no-create-gitignore"]
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603 - the environment's uv, words of our own
            [lock.uv(), *words], cwd=project, capture_output=True, text=True, timeout=BUILD_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotReadyError(f"uv did not build the packages within {BUILD_S:.0f} s", where=str(project)) from error
    built = sorted(path for path in scratch.iterdir() if path.suffix in {".whl", ".gz"})
    if done.returncode or not built:
        raise WrongStateError(
            "the packages cannot be built, so nobody can say what is in them",
            where=str(project),
            why=done.stderr.strip() or "uv made none",
            remedy="run: uv build --all-packages --out-dir dist",
        )
    for archive in built:
        staging.add_archive(archive, archive.name)
    return f"{len(built)} wheels and source distributions"


def images(folder: Path, staging: Staging) -> str:
    """The newest of each own layer of the images that were built on this machine; none is built for this."""
    newest: dict[str, Path] = {}
    for layer in sorted(folder.glob("layer-*/layer.tar.zst"), key=lambda path: path.stat().st_mtime):
        newest[layer.parent.name.removeprefix("layer-").rpartition("-")[0]] = layer
    own = [newest[name] for name in OWN_LAYERS if name in newest]
    for layer in own:
        staging.add_archive(layer, f"the image layer {layer.parent.name.removeprefix('layer-')}")
    return f"{len(own)} own image layers" if own else "no image layer (none was built here)"


def artifacts(state: Path, staging: Staging) -> str:
    """What was compiled and rendered here; nothing is compiled for this."""
    return f"{_all_of(state, ARTIFACTS, staging)} compiled artifacts"


def runs(state: Path, staging: Staging) -> str:
    """Logs, evidence, verdicts and the page of the runs so far; what only the owner can read may hold secrets."""
    return f"{_all_of(state, WRITTEN_BY_RUNS, staging)} logs and reports of runs"


def readable_by_others(path: Path) -> bool:
    """Whether anybody but the owner may read a file."""
    try:
        return path.is_file() and not path.is_symlink() and bool(path.stat().st_mode & PRIVATE)
    except OSError:  # gone meanwhile
        return False


def _all_of(state: Path, names: tuple[str, ...], staging: Staging) -> int:
    files = [path for name in names for path in _walk(state / name)]
    for path in files:
        staging.add_file(path, str(path.relative_to(state.parent)))
    return len(files)


def _walk(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*")) if readable_by_others(path))
