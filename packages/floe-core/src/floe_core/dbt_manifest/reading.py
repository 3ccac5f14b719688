"""Finds a product's dbt manifest, and says whether it still speaks of the files that are there.

A manifest that is old, cut off or foreign is not used: a check that looked at it would tell untruths. The reading
then says why, with the place, and the checks that need it are reported as not run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from floe_core.dbt_manifest.manifest import MAX_BYTES, ManifestError, parse

if TYPE_CHECKING:
    from pathlib import Path

    from floe_core.dbt_manifest.manifest import DbtManifest
    from floe_core.dbt_manifest.project import DbtProject, ProjectFile

MANIFEST_FILE: Final = "manifest.json"
REMEDY: Final = "`floe run` leaves a fresh one; compile again after it"
NO_PROJECT: Final = "there is no dbt project beside floe.yaml"


@dataclass(frozen=True)
class Reading:
    """What came of looking for a manifest.

    Attributes:
        manifest: The manifest, where it can be used.
        why: Why it cannot; empty where it can.
        file: The manifest's place, relative to the product; empty where none was looked for.
    """

    manifest: DbtManifest | None
    why: str = ""
    file: str = ""

    @property
    def known(self) -> DbtManifest:
        """The manifest, for callers that asked whether it can be used.

        Raises:
            ValueError: It cannot.
        """
        if self.manifest is None:
            raise ValueError(self.why)
        return self.manifest


def read(folder: Path, project: DbtProject | None) -> Reading:
    """The manifest of the dbt project in `folder`; never raises for what the file holds."""
    if project is None:
        return Reading(None, NO_PROJECT)
    name = (PurePosixPath(project.target_path) / MANIFEST_FILE).as_posix()
    try:
        with (folder / name).open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return Reading(None, f"there is no {name}: {REMEDY}", name)
    except OSError as error:
        return Reading(None, f"{name} cannot be read: {(error.strerror or 'no reason is given').lower()}", name)
    try:
        manifest = parse(raw)
    except ManifestError as error:
        return Reading(None, f"{name}{error.place and f':{error.place}'}: {error.reason}: {REMEDY}", name)
    stale = _stale(manifest, project)
    return Reading(None, f"{name} is stale: {stale}: {REMEDY}", name) if stale else Reading(manifest, "", name)


def _stale(manifest: DbtManifest, project: DbtProject) -> str:
    """The first way in which manifest and files differ; empty where they agree."""
    if project.name and manifest.project_name != project.name:
        return f"it is of the project {manifest.project_name!r}, and this is {project.name!r}"
    files = {one.path: one for one in project.models}
    known = {model.path for model in manifest.models.values()}
    gone = sorted(model.path for model in manifest.models.values() if model.path not in files)
    if gone:
        return f"{gone[0]} is not there any more"
    for model in manifest.models.values():
        if model.checksum and model.checksum != _checksum(files[model.path]):
            return f"{model.path} has changed since"
    return _new(manifest, project, known) or _newer(manifest, project)


def _new(manifest: DbtManifest, project: DbtProject, known: set[str]) -> str:
    """A model on disk that dbt did not see; one that is switched off, or an earlier version, it did see."""
    for file in project.models:
        versioned = file.name.rpartition("_v")[0] in manifest.models
        if file.path not in known and file.name not in manifest.disabled and not versioned:
            return f"it does not know {file.path}"
    return ""


def _newer(manifest: DbtManifest, project: DbtProject) -> str:
    """A YAML file, macro or test that was changed after dbt wrote; of those dbt keeps no checksum in the manifest."""
    written = _seconds(manifest.generated_at)
    if written is None:
        return "it does not say when it was made"
    for file in (*project.documents, *project.others, *(one for one in project.models if one.path.endswith(".py"))):
        if file.modified_s > written:
            return f"{file.path} is newer"
    return ""


def _seconds(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() if text else None
    except (ValueError, OverflowError, OSError):
        return None


def _checksum(file: ProjectFile) -> str:
    return hashlib.sha256(file.text.strip().encode()).hexdigest()
