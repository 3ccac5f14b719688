"""The audit's child process: `python -m floe_ops.audits.dagster_api.probe`, JSON in, JSON out.

It imports Dagster and the audited modules, so that whatever they do at import (print, warn, exit) stays out of the
automation's own process. Reads `{"uses": […], "modules": [{"file", "name", "root"}]}` from standard input and
writes `{"libraries": {…}, "facts": [[…], …], "imports": [[file, fact], …]}` to its original standard output.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import os
import sys
import warnings
from dataclasses import asdict
from typing import Any

from floe_ops.audits.dagster_api.model import Fact, Use


def main() -> None:
    """Answer one request."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # audited modules may print; that must not mix with the answer
    request = json.load(sys.stdin)
    with warnings.catch_warnings(record=True):
        from floe_ops.audits.dagster_api import lookup
    found = [[asdict(fact) for fact in lookup.facts(_use(raw))] for raw in request["uses"]]
    imports = [[module["file"], asdict(fact)] for module in request["modules"] for fact in _import(module)]
    with answers:
        json.dump({"libraries": _libraries(), "facts": found, "imports": imports}, answers)


def _use(raw: dict[str, Any]) -> Use:
    return Use(**{**raw, "keywords": tuple(raw["keywords"])})


def _import(module: dict[str, str]) -> list[Fact]:
    """Import one audited module and hear its warnings; [] when it is silent."""
    from floe_ops.audits.dagster_api import lookup

    if module["root"] not in sys.path:
        sys.path.insert(0, module["root"])
    with warnings.catch_warnings(record=True) as heard:
        lookup.listen()
        try:
            importlib.import_module(module["name"])
        except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code may raise anything when imported
            return [Fact("import error", note=f"{type(error).__name__}: {str(error).partition(chr(10))[0][:300]}")]
    notes = {f"{warning.category.__name__}: {str(warning.message).partition(chr(10))[0][:300]}" for warning in heard}
    return [Fact("warning", note=note) for note in sorted(notes)]


def _libraries() -> dict[str, str]:
    loaded = {name.partition(".")[0] for name in sys.modules}
    names = sorted(name for name in loaded if name == "dagster" or name.startswith("dagster_"))
    versions: dict[str, str] = {}
    for name in names:
        distribution = name.replace("_", "-")
        try:
            versions[distribution] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue  # the audited package itself
    return versions


if __name__ == "__main__":
    main()
