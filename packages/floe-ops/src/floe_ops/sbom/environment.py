"""The bill of the environment: every package of `uv.lock`, on whatever platform it installs, as uv itself tells it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from floe_core.errors import WrongStateError

from floe_ops.audits import lock
from floe_ops.sbom import document

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE_S = 60.0
WORDS = ("export", "--frozen", "--offline", "--format", "cyclonedx1.5", "--quiet")
ALL = ("--all-packages", "--all-groups", "--all-extras")


def bill(project: Path) -> dict[str, Any]:
    """The document; reads `uv.lock` only.

    Raises:
        WrongStateError: uv cannot read the lock, or left out a package that is in it.
    """
    done = subprocess.run(  # noqa: S603 - our own uv, our own words
        [lock.uv(), *WORDS, *ALL, "--project", str(project)],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    if done.returncode:
        raise WrongStateError("the lock cannot be exported", where=str(project / "uv.lock"), why=done.stderr.strip())
    told = json.loads(done.stdout)
    names = {part["bom-ref"]: _ref(part) for part in (*told["components"], told["metadata"]["component"])}
    parts = [{**part, "bom-ref": names[part["bom-ref"]]} for part in told["components"]]
    _hold(project, parts)
    needs = [
        {"ref": names[one["ref"]], "dependsOn": sorted({names[need] for need in one.get("dependsOn", ())})}
        for one in told["dependencies"]
    ]
    root = {"type": "application", "bom-ref": names[told["metadata"]["component"]["bom-ref"]], "name": "floe"}
    return document.finished(root, parts, needs)


def _ref(part: dict[str, Any]) -> str:
    """A name that stays the same when another package comes or goes: uv numbers its own."""
    return str(part.get("purl") or f"{part['name']}@{part.get('version', 'workspace')}")


def _hold(project: Path, parts: list[dict[str, Any]]) -> None:
    """Every third-party pin of the lock is in the document."""
    there = {lock.pin(part["name"], part["version"]) for part in parts if "version" in part}
    missing = sorted(str(pin) for pin in lock.third_party(project / "uv.lock") - there)
    if missing:
        raise WrongStateError(
            "the bill of materials lacks packages of the lock",
            where=str(project / "uv.lock"),
            why=", ".join(missing),
            remedy="report it: uv left them out of its export",
        )
