"""The look for the canaries of the run that is going on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError

from floe_ops.audits.canary import forms, places
from floe_ops.targets.interface import current
from floe_ops.targets.local import credentials
from floe_ops.targets.local.layout import Layout
from floe_ops.targets.local.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from floe_ops.audits.canary.places import Sighting


def search(project: Path) -> tuple[str, tuple[Sighting, ...]]:
    """Look for every secret of the platform that is up; returns what was looked at and what was found.

    Call it while the platform is up and after the work is done: its secrets are forgotten when it ends.

    Raises:
        WrongStateError: No platform is up, or a place cannot be looked at.
    """
    known = _secrets(project)
    if not known:
        raise WrongStateError(
            "there is no secret to look for",
            where=str(project / ".floe"),
            why="no platform is up: its secrets are made when it starts and forgotten when it ends",
            remedy="run: invoke platform.up, do the work, then look; `final` looks by itself",
        )
    supervisor = Supervisor(Layout(project / ".floe")).pid()
    return look(project, known, places.family(*([supervisor] if supervisor else [])))


def look(project: Path, secrets: Mapping[str, str], handed: frozenset[int]) -> tuple[str, tuple[Sighting, ...]]:
    """Look for these secrets; returns what was looked at and what was found.

    Args:
        project: The root.
        secrets: By name; what is too short to be one is passed over.
        handed: Processes that are handed secrets by environment.

    Raises:
        WrongStateError: A place cannot be looked at.
    """
    canaries = forms.of(secrets)
    looks = {
        "files": places.files(project, canaries),
        "command lines": places.command_lines(canaries),
        "environments": places.environments(canaries, handed),
    }
    names = sorted({form.secret for form in canaries})
    told = ", ".join(f"{seen.looked} {what}" for what, seen in looks.items())
    return (
        f"{len(names)} secrets of this run ({', '.join(names)}) in {len(canaries)} forms looked for in {told}",
        tuple(sighting for seen in looks.values() for sighting in seen.sightings),
    )


def _secrets(project: Path) -> Mapping[str, str]:
    """The secrets of the platform that is up, those too that no client gets."""
    platform = current(os.environ.get("FLOE_TARGET")).find()
    if platform is None:
        return {}
    inner = credentials.load(Layout(project / ".floe").secrets) or {}
    return {**inner, **platform.secrets}
