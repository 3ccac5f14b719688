"""dbt's files `manifest.json`, `semantic_manifest.json` and `run_results.json`, written as dbt writes them but whole.

dbt's own writer encodes piece by piece in Python, into the file that others may be reading: for a product of some
dozen nodes a third of a second a command. The content is the same.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

MANIFEST, RESULTS = "manifest.json", "run_results.json"


def keep_manifest(manifest: Any, folder: Path) -> None:
    """Write dbt's `Manifest`, and what of it is for its semantic layer.

    Raises:
        OSError: The folder cannot be written to.
    """
    from dbt.parser.manifest import write_semantic_manifest

    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / MANIFEST, manifest.writable_manifest().to_dict(omit_none=False, context={"artifact": True}))
    write_semantic_manifest(manifest, str(folder))


def keep_results(results: Any, folder: Path) -> None:
    """Write dbt's `RunExecutionResult`; nothing where a command has made none.

    Raises:
        OSError: The folder cannot be written to.
    """
    from dbt.artifacts.schemas.run import RunExecutionResult, RunResultsArtifact

    if isinstance(results, RunExecutionResult):
        made = RunResultsArtifact.from_execution_results(
            results=results.results,
            elapsed_time=results.elapsed_time,
            generated_at=results.generated_at,
            args=results.args,
        )
        _write(folder / RESULTS, made.to_dict(omit_none=False))


def _write(path: Path, content: dict[str, Any]) -> None:
    """Replace `path` as a whole."""
    from dbt_common.utils.encoding import JSONEncoder

    text = json.dumps(content, cls=JSONEncoder)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        temporary.chmod(0o644)  # mkstemp makes private files
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
