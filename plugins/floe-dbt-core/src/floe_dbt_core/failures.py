"""What dbt raises, as errors with a place, a reason and a next step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from floe_core.errors import ExitCode
from floe_core.plugins import DbtError, DbtProjectError, DbtTargetError

if TYPE_CHECKING:
    from floe_core.plugins import DbtRequest

_LOCKED = re.compile(r'Could not set lock on file "(?P<file>[^"]+)".*?held in (?P<who>.*? \(PID \d+\))', re.DOTALL)
_OPEN_HERE = re.compile(r"same database file with a different configuration")
_UNREADABLE = re.compile(r'(?:Cannot open file|Cannot open database|read file) "(?P<file>[^"]+)"', re.IGNORECASE)
_NO_TARGET = re.compile(r"does not have a target named '(?P<name>[^']*)'")
_TARGETS = re.compile(r"^\s*-\s*(\S+)\s*$", re.MULTILINE)
_NO_PROFILE = re.compile(r"Could not find profile|profiles\.yml")
_FILE = re.compile(r"\((?P<file>[^()\n]+\.(?:sql|yml|yaml|csv|py|md))\)")
_LINE = re.compile(r"^\s*line (?P<line>\d+)\s*$", re.MULTILINE)
_NO_NODE = re.compile(r"depends on a (?:node|seed|source) named '(?P<name>[^']+)' which was not found")


class DbtDatabaseError(DbtError):
    """The database file cannot be opened: locked by a named process, or out of reach."""

    exit_code = ExitCode.WRONG


def from_exception(error: BaseException, request: DbtRequest) -> DbtError | DbtTargetError:
    """The error for what ended dbt before, or instead of, its nodes; a Ctrl-C passes as it is."""
    if not isinstance(error, Exception):
        raise error
    return _classify(str(error), request)


def from_lines(lines: list[str], request: DbtRequest) -> DbtError | DbtTargetError:
    """The error for the checks of `dbt debug` that failed."""
    return _classify("\n".join(lines), request)


def _classify(text: str, request: DbtRequest) -> DbtError | DbtTargetError:
    words = _plain(text)
    if _NO_TARGET.search(words):
        return _wrong_target(words, request)
    locked = _LOCKED.search(words)
    if locked:
        return DbtDatabaseError(
            "the database file is in use by another process",
            where=locked["file"],
            why=f"it is locked by {locked['who']}",
            remedy="let that process end, or end it, and run again",
        )
    unreadable = _UNREADABLE.search(words)
    if unreadable or _OPEN_HERE.search(words):
        return DbtDatabaseError(
            "the database file cannot be opened",
            where=unreadable["file"] if unreadable else _database(request),
            why=words,
            remedy="see that its folder exists and may be written, and that nothing else in this program holds it",
        )
    return _broken_project(words, request)


def _wrong_target(words: str, request: DbtRequest) -> DbtTargetError:
    targets = ", ".join(_TARGETS.findall(words)) or "none"
    return DbtTargetError(
        f"the profile has no target named {request.target!r}",
        where=str(request.profiles_dir / "profiles.yml"),
        why=f"its targets are: {targets}",
        remedy="name one of them",
    )


def _broken_project(words: str, request: DbtRequest) -> DbtProjectError:
    missing = _NO_NODE.search(words)
    file = _FILE.search(words)
    line = _LINE.search(words)
    where = str(request.project_dir / file["file"]) if file else str(request.project_dir)
    if missing:
        name = missing["name"]
        return DbtProjectError(
            f"there is no model or seed named {name!r}",
            where=where,
            why=words,
            remedy=f"restore seeds/{name}.csv or the model's file, or correct the reference",
        )
    profile = " and profiles.yml" if _NO_PROFILE.search(words) else ""
    return DbtProjectError(
        f"dbt {request.command.value} could not start",
        where=f"{where}:{line['line']}" if line and file else where,
        why=words,
        remedy=f"correct the project's files{profile} and run again",
    )


def _database(request: DbtRequest) -> str:
    return request.environment.get("FLOE_DUCKDB_PATH") or str(request.profiles_dir / "profiles.yml")


def _plain(text: str) -> str:
    """The words of dbt without terminal colours and blank lines."""
    bare = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return "\n".join(line.rstrip() for line in bare.strip().splitlines() if line.strip())
