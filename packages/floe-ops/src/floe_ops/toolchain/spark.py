"""The environment that Spark runs in: the lock's extra `spark`, beside the project's own, and made once.

Spark and dbt's adapter for it weigh half a gigabyte, so `uv sync` leaves them out; `uv.lock` pins them all the same.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess  # nosec B404 - uv is a program
import sys
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from floe_core.errors import MissingToolError, NotReadyError

from floe_ops import console, project
from floe_ops.toolchain import jars, java, store
from floe_ops.toolchain.tools import folder

EXTRA = "spark"
MAKE_S, ASK_S = 1200, 60
SPACE_MB = 2500
_PYTHON = "env/bin/python"


@dataclass(frozen=True)
class Spark:
    """What a build in Spark needs.

    Attributes:
        python: The environment's Python, which has this project installed too.
        java: What Spark runs on.
        jars: Iceberg's runtime and its S3 client.
    """

    python: Path
    java: java.Java
    jars: tuple[Path, ...]


def ensure() -> Spark:
    """Java, the environment and the jars: a minute or two the first time, a check of hashes from then on.

    Raises:
        FloeError: The folder of the tools cannot be written to, or the disk is full.
        MissingToolError: There is no Java that is new enough, no uv, or no way to packages or jars.
        NotReadyError: Another process does not finish making it.
        WrongStateError: A jar is not what is pinned.
    """
    runtime = java.find()
    python = _environment()
    ivy = next(iter(sorted(python.parent.parent.glob("lib/python*/site-packages/pyspark/jars/ivy-*.jar"))), None)
    if ivy is None:
        raise MissingToolError(
            "the environment for Spark has no Apache Ivy",
            where=str(python.parent.parent),
            why="it comes with pyspark, so the environment is damaged",
            remedy=f"delete {python.parent.parent.parent} and try again",
        )
    return Spark(python, runtime, jars.ensure(jars.ICEBERG, runtime, ivy))


def _environment() -> Path:
    wanted = _uv(["export", "--locked", "--extra", EXTRA, "--no-dev", "--no-header", "--quiet"])
    members = [path for room in ("packages", "plugins") for path in project.root().glob(f"{room}/*/pyproject.toml")]
    digest = hashlib.sha256(f"{project.root()} {sys.version} {wanted}".encode())
    for member in sorted(members):  # names of entry points and modules are in no lock
        digest.update(member.read_bytes())
    place = folder() / f"spark-{digest.hexdigest()[:16]}"
    with store.writable(folder(), SPACE_MB), FileLock(folder() / ".spark.lock", timeout=MAKE_S):
        if not store.intact(place, _PYTHON):
            with (
                console.step("making the environment for Spark (about a minute, once)"),
                store.making(place, _PYTHON, {"root": str(project.root())}) as temporary,
            ):
                made = {"UV_PROJECT_ENVIRONMENT": str(temporary / "env"), "UV_VENV_RELOCATABLE": "1"}
                _uv(["sync", "--locked", "--extra", EXTRA, "--no-dev", "--quiet", "--python", sys.executable], made)
            _forget_older(place)
    return place / _PYTHON


def _forget_older(place: Path) -> None:
    """Delete the environments that this checkout had for earlier locks: each is more than a gigabyte."""
    for older in folder().glob("spark-*/"):
        if older != place and store.note(older, "root") == str(project.root()):
            shutil.rmtree(older, ignore_errors=True)


def _uv(arguments: list[str], more: dict[str, str] | None = None) -> str:
    beside = Path(sys.prefix) / "bin" / "uv"
    program = str(beside) if beside.is_file() else shutil.which("uv")
    if program is None:
        raise _not_had("there is no uv here to make it")
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603 - our own uv, no shell
            [program, *arguments],
            cwd=project.root(),
            env={**environment, **(more or {}), "UV_NO_PROGRESS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=MAKE_S if more else ASK_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"after {MAKE_S} s"
        raise NotReadyError("uv does not finish", where="uv.lock", why=why, remedy="try again") from None
    if "No space left" in done.stderr:
        raise store.full(folder(), "no space left on device")
    if done.returncode != 0:
        raise _not_had("; ".join(line.strip() for line in done.stderr.splitlines() if line.strip())[-400:])
    return done.stdout


def _not_had(why: str) -> MissingToolError:
    return MissingToolError(
        "the environment for Spark cannot be made",
        where=f"the extra `{EXTRA}` of uv.lock",
        why=why,
        remedy="make a package index reachable, and `uv lock --check` pass",
    )
