"""The audit of a package's use of Dagster: read, ask the installed library, judge, show."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from floe_core.errors import MissingToolError, NotReadyError, WrongStateError

from floe_ops.audits.dagster_api.model import Fact, Report, Row, Use, judge
from floe_ops.audits.dagster_api.reader import python_files, read

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

TIMEOUT_S = 120.0
_NAMED = 10


def audit(path: Path, *, run: bool = True, timeout: float = TIMEOUT_S) -> Report:
    """Audit every Python file at or below `path` against the installed Dagster.

    Args:
        path: A package, a folder or a file.
        run: Whether the audited modules are imported too, to hear what they warn of.
        timeout: Seconds for the child process that imports Dagster and them.

    Raises:
        UsageError: there is nothing to read at `path`.
        MissingToolError: the child process could not import Dagster.
        NotReadyError: the child process took longer than `timeout`.
    """
    path = path.resolve()
    base = path if path.is_dir() else path.parent
    files = python_files(path)
    own = frozenset(entry.name.removesuffix(".py") for file in files for entry in _package(file))
    uses: list[Use] = []
    rows: list[Row] = []
    for file in files:
        result = read(file, file.relative_to(base).as_posix(), own)
        if isinstance(result, Row):
            rows.append(result)
        else:
            uses.extend(result)
    broken = {row.file for row in rows}
    modules = [_module(file, base) for file in files if run and file.relative_to(base).as_posix() not in broken]
    answer = _ask(uses, modules, timeout)
    rows.extend(_rows(answer, uses))
    return Report(str(path), len(files), answer["libraries"], sorted(_once(rows), key=_order))


def require_clean(report: Report) -> None:
    """Fail on a report with findings, naming the first of them.

    Raises:
        WrongStateError: at least one row fails; exit code 4.
    """
    findings = report.findings
    if not findings:
        return
    named = [
        f"{row.file}:{row.line} {row.subject} {row.lifecycle}"
        + (f" (breaks in {row.breaking_version})" if row.breaking_version else "")
        + (f": {row.note}" if row.note else "")
        for row in findings[:_NAMED]
    ]
    more = [f"and {len(findings) - _NAMED} more"] if len(findings) > _NAMED else []
    raise WrongStateError(
        f"{len(findings)} use(s) of Dagster that will not last",
        where=report.path,
        why="\n         ".join([*named, *more]),
        remedy="replace each name or parameter as its note says; --json lists them all",
    )


def _package(file: Path) -> Iterable[Path]:
    """The top-level package or module that `file` belongs to, as one path."""
    top = file
    while (top.parent / "__init__.py").is_file():
        top = top.parent
    return (top,)


def _module(file: Path, base: Path) -> dict[str, str]:
    (top,) = _package(file)
    relative = file.relative_to(top.parent).with_suffix("")
    parts = relative.parts[:-1] if relative.name == "__init__" else relative.parts
    return {"file": file.relative_to(base).as_posix(), "name": ".".join(parts), "root": str(top.parent)}


def _ask(uses: list[Use], modules: list[dict[str, str]], timeout: float) -> dict[str, Any]:
    """One child process answers all questions; equal ones are asked once."""
    questions = list(dict.fromkeys(replace(use, file="", line=0) for use in uses))
    request = json.dumps({"uses": [asdict(use) for use in questions], "modules": modules})
    command = [sys.executable, "-m", "floe_ops.audits.dagster_api.probe"]
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter and a module of ours
            command, input=request, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotReadyError(
            "the audit's child process did not end",
            why=f"an audited module still runs after {timeout:.0f} s of importing",
            remedy="keep long work out of module level, or audit with --static",
        ) from None
    if done.returncode != 0 or not done.stdout:
        raise MissingToolError(
            "cannot load Dagster for the audit",
            why=done.stderr.strip()[-600:] or f"the child ended with {done.returncode}",
            remedy="install dagster and its libraries in the environment that audits",
        )
    answer: dict[str, Any] = json.loads(done.stdout)
    answer["by_use"] = dict(zip(questions, answer["facts"], strict=True))
    return answer


def _rows(answer: dict[str, Any], uses: list[Use]) -> Iterable[Row]:
    for use in uses:
        for raw in answer["by_use"][replace(use, file="", line=0)]:
            yield _row(use.file, use.line, use.symbol.replace("()", ""), Fact(**raw))
    for file, raw in answer["imports"]:
        yield _row(file, 1, f"import {file}", Fact(**raw))


def _row(file: str, line: int, name: str, fact: Fact) -> Row:
    return Row(file, line, name, fact.parameter, fact.lifecycle, fact.breaking_version, judge(fact), fact.note)


def _once(rows: list[Row]) -> list[Row]:
    """Without repeats: an import and its use on one line, say."""
    return list(dict.fromkeys(rows))


def _order(row: Row) -> tuple[str, int, str, str]:
    return (row.file, row.line, row.name, row.parameter)
