"""New floors from what an audit found: the lowest fixed version of each package, into the same sorted list."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from floe_core.errors import WrongStateError
from packaging.version import InvalidVersion, Version

from floe_ops.audits.floors import listed
from floe_ops.audits.floors.listed import Floor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from floe_ops.audits.findings import Finding, Report


@dataclass(frozen=True)
class Proposals:
    """Floors to add or to raise, and packages for which none can be written, a sentence each."""

    floors: tuple[Floor, ...]
    without_fix: tuple[str, ...]


def propose(findings: Iterable[Finding], floors: Sequence[Floor]) -> Proposals:
    """The floors that would answer these findings; an existing floor of a package is raised, its advisories kept."""
    wanted: dict[str, tuple[Version, list[str]]] = {}
    without = []
    for finding in findings:
        if finding.ecosystem != "PyPI":
            continue
        fix = _lowest_fix(finding)
        if fix is None:
            without.append(f"{finding}: bear it in advisories.toml, or do without {finding.package}")
            continue
        version, names = wanted.get(finding.package, (fix, []))
        wanted[finding.package] = (max(version, fix), [*names, finding.id])
    before = {floor.name: floor for floor in floors}
    found = []
    for name, (version, names) in wanted.items():
        old = before.get(name)
        kept = old.advisories if old else ()
        highest = max(version, Version(old.version)) if old else version
        found.append(Floor(name, str(highest), tuple(dict.fromkeys((*kept, *names)))))
    return Proposals(tuple(sorted(found)), tuple(without))


def document(floors: Sequence[Floor], proposals: Proposals, report: Report) -> dict[str, Any]:
    """Floors and proposals for `--json`."""
    return {
        "source": report.source,
        "date": report.as_of.isoformat() if report.as_of else None,
        "floors": [asdict(floor) for floor in floors],
        "proposed": [asdict(floor) for floor in proposals.floors],
        "without_fix": list(proposals.without_fix),
    }


def write(project: Path, proposals: Sequence[Floor]) -> None:
    """Put proposals into the list of `pyproject.toml`, sorted, each with its advisories; nothing else changes.

    Raises:
        WrongStateError: The list is not written as one floor a line, or `[tool.uv]` is missing.
    """
    path = project / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    current = {floor.name: floor for floor in listed.read(project).floors}
    floors = sorted({**current, **{floor.name: floor for floor in proposals}}.values())
    body = f"{listed.KEY} = [\n{_lines(floors)}]\n"
    if listed.BLOCK.search(text):
        new = listed.BLOCK.sub(lambda _match: body, text, count=1)
    elif "[tool.uv]\n" in text and listed.KEY not in text:
        new = text.replace("[tool.uv]\n", f"[tool.uv]\n{body}", 1)
    else:
        raise WrongStateError(
            "the floors cannot be written",
            where=str(path),
            why=f"there is no [tool.uv], or {listed.KEY} is not a list with one floor a line",
            remedy=f"write [tool.uv] with {listed.KEY} = [ and ] on lines of their own",
        )
    path.write_text(new, encoding="utf-8")


def _lines(floors: Sequence[Floor]) -> str:
    width = max((len(floor.requirement) for floor in floors), default=0)
    return "".join(
        f'    "{floor.requirement}",{" " * (width - len(floor.requirement))} # {", ".join(floor.advisories)}\n'
        for floor in floors
    )


def _lowest_fix(finding: Finding) -> Version | None:
    fixes = []
    for text in finding.fixed_in:
        try:
            fixes.append(Version(text))
        except InvalidVersion:
            continue
    return min((fix for fix in fixes if fix > Version(finding.version)), default=None)
