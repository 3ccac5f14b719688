"""Python packages for an image: the locked ones with their hashes, and this project's own, with their bytecode.

Both go where Debian's Python looks by itself (`SITE`), so an image needs no environment and no search path. Bytecode
is compiled by the image's own Python and never checked against a source's time: layers carry no times.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import sys
import tempfile
import tomllib
from configparser import ConfigParser
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from floe_core.errors import MissingToolError

from floe_ops import project
from floe_ops.images import layers, programs, rooted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from floe_ops.images.layers import Entry

PYTHON = "3.11"
"""Of Debian bookworm."""

SITE = f"usr/local/lib/python{PYTHON}/dist-packages"
SCRIPTS = "usr/local/bin"
# What a running program never reads: headers, sources of extensions, maps of minified scripts, tests.
UNREAD = (
    "*.pyx",
    "*.pxd",
    "*.map",
    "pyarrow/include",
    "pyarrow/tests",
    "pyarrow/src",
    "networkx/**/tests",
    "networkx/tests",
    "supervisor/tests",
    "jsonschema/tests",
    "simplejson/tests",
    "websocket/tests",
    "tests",
    "bin",
)
# What git does not keep, and no image gets.
UNKEPT = frozenset({"__pycache__", "target", "logs", "dbt_packages", ".floe", ".duckdb", ".pyc"})
# What an installer notes about itself and about the folder that it installed from.
NOTES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json", "uv_build.json")


def locked(*words: str) -> dict[str, str]:
    """The locked requirements by name, each with its hashes as `uv export WORDS` tells them, without our own."""
    told = _uv("export", "--frozen", "--no-header", "--no-annotate", "--no-emit-workspace", "--quiet", *words)
    blocks = re.split(r"\n(?=\S)", told.strip())
    return {_name(block): block for block in blocks if block}


def own(*words: str) -> tuple[Path, ...]:
    """The folders of this project's packages that `uv export WORDS` names."""
    told = _uv("export", "--frozen", "--no-header", "--no-annotate", "--no-hashes", "--quiet", *words)
    found = re.findall(r"^-e (\./\S+)|^(\./\S+)$", told, re.MULTILINE)
    return tuple(sorted(project.root() / (editable or plain) for editable, plain in found))


def install(requirements: Sequence[str], site: Path) -> None:
    """Install locked requirements into the folder `site`, by hash and from wheels only."""
    site.mkdir(parents=True)
    listed = site.with_name("requirements.txt")
    listed.write_text("\n".join(requirements), encoding="utf-8")
    target = [f"--python-platform={platform.machine()}-manylinux_2_36", f"--python-version={PYTHON}"]
    strict = ["--require-hashes", "--no-deps", "--only-binary=:all:"]
    _uv("pip", "install", "--quiet", *target, *strict, f"--target={site}", "-r", str(listed), at_home=False)


def install_own(members: Sequence[Path], site: Path, wheels: Path) -> None:
    """Build this project's packages and install them into the folder `site`, as any package is."""
    for member in members:
        _uv("build", "--wheel", "--quiet", f"--out-dir={wheels}", str(member))
    site.mkdir(parents=True)
    offline = ["--no-deps", "--no-index", "--no-cache", f"--find-links={wheels}", f"--python-version={PYTHON}"]
    names = [_declared(member)["name"] for member in members]
    _uv("pip", "install", "--quiet", *offline, f"--target={site}", *names, at_home=False)


def finish(site: Path, root: Path, scripts: Sequence[str]) -> Iterator[Entry]:
    """Tidy the folder `site`, compile it with the Python of the image `root`, and give what goes into a layer.

    Args:
        site: What was installed.
        root: Files of the image below, unpacked.
        scripts: Programs to be on PATH; those that `site` does not hold are left to another layer.
    """
    points = dict(_scripts(site))
    for unread in [path for path in site.rglob("*") if _is_unread(path.relative_to(site))]:
        shutil.rmtree(unread, ignore_errors=True) if unread.is_dir() else unread.unlink(missing_ok=True)
    rooted.run(root, [*rooted.COMPILE, f"/{SITE}"], places={SITE: site})
    yield from layers.tree(site, SITE)
    for name in scripts:
        if name in points:
            yield layers.file(f"{SCRIPTS}/{name}", _script(points[name]), mode=layers.PROGRAM)


def content_key(paths: Sequence[Path]) -> str:
    """The checksum of the files, and of all that git would keep in the folders, by their names in the checkout."""
    seen = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else (path,):
            inside = file.relative_to(project.root())
            if file.is_file() and not UNKEPT & set(inside.parts) and file.suffix not in UNKEPT:
                content = file.read_bytes()
                seen.update(f"{inside} {len(content)}\n".encode() + content)
    return seen.hexdigest()


def version() -> str:
    """The project's version."""
    return str(_declared(project.root())["version"])


def _declared(folder: Path) -> dict[str, str]:
    with (folder / "pyproject.toml").open("rb") as file:
        found: dict[str, str] = tomllib.load(file)["project"]
    return found


def _name(block: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+(\[[^]]*\])?==\S+( ; [^\\]+)?", block)
    return match[0].strip() if match else block.splitlines()[0]


def _is_unread(path: Path) -> bool:
    inside = str(PurePosixPath(path))
    if path.name in NOTES and path.parent.suffix == ".dist-info":
        return True
    return any(fnmatch(inside, one) for one in UNREAD)


def _scripts(site: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(site.glob("*.dist-info/entry_points.txt")):
        points = ConfigParser(delimiters=("=",), interpolation=None)
        points.optionxform = str  # type: ignore[assignment,method-assign] # names keep their case
        points.read_string(file.read_text(encoding="utf-8"))
        if points.has_section("console_scripts"):
            yield from points.items("console_scripts")


def _script(point: str) -> str:
    module, _, function = point.partition(":")
    return f"#!/usr/bin/python3\nimport sys\nfrom {module} import {function}\n\nsys.exit({function}())\n"


def _uv(*words: str, at_home: bool = True) -> str:
    beside = Path(sys.prefix) / "bin" / "uv"
    program = str(beside) if beside.is_file() else shutil.which("uv")
    if program is None:
        raise MissingToolError("there is no uv", where="PATH", remedy="use the environment that ./noxw makes")
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment |= {"UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    with tempfile.TemporaryDirectory() as elsewhere:  # in the checkout uv would add its constraints, which have no hash
        folder = project.root() if at_home else Path(elsewhere)
        done = programs.run([program, *words], folder=folder, environment=environment)
    if done.returncode != 0:
        raise MissingToolError(
            "Python packages for an image cannot be had",
            where=f"uv {words[0]}",
            why="; ".join(line.strip() for line in done.stderr.splitlines() if line.strip())[-600:],
            remedy="make a package index reachable, and see that uv.lock is up to date",
        )
    return done.stdout
