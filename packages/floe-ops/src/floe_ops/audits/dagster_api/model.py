"""What the audit speaks of: a use of a Dagster name in a file, a fact about that name, a row with its verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from packaging.version import InvalidVersion, Version

Role = Literal["import", "attribute", "call", "base", "override", "module"]
Lifecycle = Literal[
    "ga",
    "beta",
    "preview",
    "superseded",
    "deprecated",
    "private",  # an underscore in the path: no promise covers it
    "missing",  # the installed library has no such name or parameter
    "hidden",  # a star import: nobody can say which names are used
    "warning",  # warns when the name is touched or the module imported
    "import error",
    "unparsable",
]
Verdict = Literal["ok", "watch", "fail"]

HORIZON = Version("2.0")
"""Whatever Dagster says it removes at or before this version counts as gone."""

_WATCHED: frozenset[str] = frozenset({"beta", "preview", "private"})
_BROKEN: frozenset[str] = frozenset({"superseded", "missing", "hidden", "warning", "import error", "unparsable"})


@dataclass(frozen=True)
class Use:
    """One use of a Dagster name.

    Attributes:
        file: Path below the audited folder, with forward slashes.
        line: First line of the expression, from 1.
        symbol: Dotted name from the library on; `()` after a part stands for "an instance of it".
        role: How it is used.
        keywords: Names of the keyword parameters of a call.
        positional: Number of positional arguments of a call before any `*args`.
    """

    file: str
    line: int
    symbol: str
    role: Role
    keywords: tuple[str, ...] = ()
    positional: int = 0


@dataclass(frozen=True)
class Fact:
    """What the installed library says about a name or about one of its parameters."""

    lifecycle: Lifecycle
    parameter: str = ""
    breaking_version: str = ""
    note: str = ""


@dataclass(frozen=True)
class Row:
    """A fact at a place, judged."""

    file: str
    line: int
    name: str
    parameter: str
    lifecycle: Lifecycle
    breaking_version: str
    verdict: Verdict
    note: str

    @property
    def subject(self) -> str:
        """The name, with the parameter where the fact is about one."""
        return f"{self.name}({self.parameter}=)" if self.parameter else self.name


@dataclass(frozen=True)
class Report:
    """The outcome of an audit: every row, and the figures that the evidence quotes."""

    path: str
    files: int
    libraries: dict[str, str]
    rows: list[Row] = field(default_factory=list)

    @property
    def findings(self) -> list[Row]:
        """The rows that fail the audit."""
        return [row for row in self.rows if row.verdict == "fail"]

    @property
    def figures(self) -> dict[str, int]:
        """Counts: files read, different names, parameters passed, names to watch, findings."""
        return {
            "files": self.files,
            "names": len({row.name for row in self.rows if not row.parameter and row.name.startswith("dagster")}),
            "parameters": len({row.subject for row in self.rows if row.parameter}),
            "watched": len({row.subject for row in self.rows if row.verdict == "watch"}),
            "findings": len(self.findings),
        }

    def to_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "path": self.path,
            "libraries": self.libraries,
            "figures": self.figures,
            "rows": [asdict(row) for row in self.rows],
        }


def judge(fact: Fact) -> Verdict:
    """The verdict over `fact`: gone by `HORIZON` fails, without a promise of stability is watched, else ok.

    A deprecation whose breaking version is empty or unreadable may break in any release, so it fails too.
    """
    if fact.lifecycle in _BROKEN:
        return "fail"
    if fact.lifecycle == "deprecated":
        return "fail" if _gone_by_horizon(fact.breaking_version) else "watch"
    return "watch" if fact.lifecycle in _WATCHED else "ok"


def _gone_by_horizon(breaking_version: str) -> bool:
    try:
        return Version(breaking_version) <= HORIZON
    except InvalidVersion:
        return True
