"""Parses every dbt project below a folder while an image is built, so that a pod need not: `parse_products.py FROM TO`.

Writes `TO/<product>/target/manifest.json`, without the times of its making, so that equal sources give equal images.
Standard library and the program `dbt` only: it runs before the rest of the image is there.
"""

from __future__ import annotations

import json
import os
import subprocess  # nosec B404 - dbt is a program
import sys
import tempfile
from pathlib import Path
from typing import Any

NEVER = "1970-01-01T00:00:00Z"
TIMES = {
    "generated_at": NEVER,
    "invocation_id": None,
    "invocation_started_at": None,
    "run_started_at": None,
    "user_id": None,
}


def main(products: Path, parsed: Path) -> None:
    """Parse all products; the first that cannot be parsed ends the program with dbt's own words."""
    for folder in sorted(path.parent for path in products.glob("*/dbt_project.yml")):
        wanted = parsed / folder.name / "target" / "manifest.json"
        wanted.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(timeless(parse(folder)), separators=(",", ":"), sort_keys=True)
        wanted.write_text(text, encoding="utf-8")


def parse(folder: Path) -> dict[str, Any]:
    """The manifest that dbt makes of the project in `folder`."""
    with tempfile.TemporaryDirectory() as made:
        places = [f"--project-dir={folder}", f"--profiles-dir={folder}", f"--target-path={made}", f"--log-path={made}"]
        environment = {**os.environ, "FLOE_DUCKDB_PATH": str(Path(made) / "parsed.duckdb"), "DO_NOT_TRACK": "1"}
        command = ["dbt", "--quiet", "parse", "--no-partial-parse", *places]
        done = subprocess.run(command, env=environment, check=False)  # noqa: S603 # nosec B603 - dbt, no shell
        if done.returncode:
            sys.exit(done.returncode)
        manifest: dict[str, Any] = json.loads((Path(made) / "manifest.json").read_bytes())
        return manifest


def timeless(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest without what differs between two parses of the same sources."""
    metadata = manifest["metadata"]
    metadata |= {name: value for name, value in TIMES.items() if name in metadata}
    still: dict[str, Any] = _without_times(manifest)
    return still


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: 0.0 if name == "created_at" else _without_times(part) for name, part in value.items()}
    return [_without_times(part) for part in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
