"""An OSV export on disk: reading it whole or refusing it, and which of its records concern a version.

The layout is the one that OSV publishes per ecosystem: `PyPI/all.zip`, `Go/all.zip`, one JSON record a file. The
fields and the evaluation of ranges follow the OSV schema, version 1 (https://ossf.github.io/osv-schema/).
"""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from floe_core.errors import MissingToolError, WrongStateError

from floe_ops.audits.ecosystems import PYPI, Ecosystem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Record = dict[str, Any]
CLOCK_SLACK = timedelta(days=1)
MAX_RECORD, MAX_WHOLE = 16 * 1024**2, 4 * 1024**3
"""Bytes of one record, and of all together, unpacked: OSV's own are a hundredth of both."""
ARCHIVE_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError)


@dataclass(frozen=True)
class Snapshot:
    """A readable export.

    Attributes:
        path: The archive.
        date: When its newest record was last modified. Not the file's date: a copy would make it look fresh.
        count: Records read.
        by_name: Records by normalised package name.
        by_id: Records by id and by each alias; an id wins over an alias.
        ecosystem: Whose packages it is about.
    """

    path: Path
    date: datetime
    count: int
    by_name: Mapping[str, list[Record]]
    by_id: Mapping[str, Record]
    ecosystem: Ecosystem = PYPI

    def matching(self, name: str, version: str) -> list[Record]:
        """The records, not withdrawn, that say this version of this package is affected."""
        candidates = self.by_name.get(self.ecosystem.normal(name), [])
        return [record for record in candidates if affects(record, name, version, self.ecosystem)]


def has(source: Path, ecosystem: Ecosystem) -> bool:
    """Whether a folder holds an export of that ecosystem beside others."""
    return (source / ecosystem.name / "all.zip").is_file()


def load(source: Path, *, now: datetime | None = None, ecosystem: Ecosystem = PYPI) -> Snapshot:
    """Read an export: the archive itself, a folder with `PyPI/all.zip`, or a folder with `all.zip`.

    Args:
        source: The archive or the folder.
        now: The moment that no record may be younger than.
        ecosystem: Whose packages it is about; another one than PyPI is looked for in the folder of its name alone.

    Raises:
        MissingToolError: Nothing is there.
        WrongStateError: The archive is truncated, corrupt, empty, from the future, or holds what is no OSV record.
    """
    path = _archive(source) if ecosystem is PYPI else source / ecosystem.name / "all.zip"
    records = list(_records(path))
    if not records:
        raise _broken(path, "it holds no record")
    date = max(_modified(path, record) for record in records)
    if date > (now or datetime.now(UTC)) + CLOCK_SLACK:
        raise _broken(path, f"its newest record is of {date:%Y-%m-%d}, which lies in the future")
    by_name: dict[str, list[Record]] = {}
    by_id: dict[str, Record] = {}
    for record in records:
        for name in sorted(_names(record, ecosystem)):
            by_name.setdefault(name, []).append(record)
        for alias in record.get("aliases", ()):
            by_id.setdefault(alias, record)
    by_id.update({record["id"]: record for record in records})
    return Snapshot(path, date, len(records), by_name, by_id, ecosystem)


def affects(record: Record, name: str, version: str, ecosystem: Ecosystem = PYPI) -> bool:
    """Whether `record` says that `version` of `name` is affected.

    A version counts when the record lists it or when one of its ranges holds it. A record that names the
    package and neither lists versions nor has such a range counts for every version: what cannot be ruled out is
    shown.
    """
    if record.get("withdrawn"):
        return False
    return any(_entry_affects(entry, version, ecosystem) for entry in about(record, name, ecosystem))


def about(record: Record, name: str, ecosystem: Ecosystem = PYPI) -> list[dict[str, Any]]:
    """The entries of a record that concern that package."""
    wanted = ecosystem.normal(name)
    named = [(entry, entry["package"]) for entry in record.get("affected", ())]
    return [
        entry
        for entry, package in named
        if package["ecosystem"] == ecosystem.name and ecosystem.normal(package["name"]) == wanted
    ]


def _entry_affects(entry: Mapping[str, Any], version: str, ecosystem: Ecosystem) -> bool:
    listed = entry.get("versions") or []
    ranges = [item for item in entry.get("ranges") or () if item["type"] == ecosystem.ranges]
    if not listed and not ranges:
        return True
    if version in listed:
        return True
    parsed = ecosystem.parse(version)
    if parsed is None:  # no order to speak of: only an explicit listing can clear it
        return bool(ranges)
    return any(ecosystem.parse(item) == parsed for item in listed) or any(
        in_range(item["events"], parsed, ecosystem) for item in ranges
    )


def in_range(events: list[dict[str, str]], version: Any, ecosystem: Ecosystem = PYPI) -> bool:
    """Whether a parsed `version` lies in the range that `events` describe (OSV schema, "evaluation").

    Events that cannot be ordered err on the side of a finding: an unreadable start counts from the beginning, an
    unreadable end does not count.
    """
    limits = [event["limit"] for event in events if "limit" in event]
    if limits and not any(_before_limit(version, limit, ecosystem) for limit in limits):
        return False
    affected = False
    for at, kind in sorted(_ordered(events, ecosystem)):
        if kind == _INTRODUCED and version >= at:
            affected = True
        elif (kind == _FIXED and version >= at) or (kind == _LAST and version > at):
            affected = False
    return affected


# At one and the same version a fix comes before a new start, so that the start holds.
_FIXED, _INTRODUCED, _LAST = 0, 1, 2


def _ordered(events: list[dict[str, str]], ecosystem: Ecosystem) -> Iterator[tuple[Any, int]]:
    for event in events:
        if "introduced" in event:
            start = None if event["introduced"] == "0" else ecosystem.parse(event["introduced"])
            yield (ecosystem.beginning if start is None else start), _INTRODUCED
        for word, kind in (("fixed", _FIXED), ("last_affected", _LAST)):
            end = ecosystem.parse(event[word]) if word in event else None
            if end is not None:
                yield end, kind


def _before_limit(version: Any, limit: str, ecosystem: Ecosystem) -> bool:
    parsed = ecosystem.parse(limit)
    return bool(limit == "*" or parsed is None or version < parsed)


def _archive(source: Path) -> Path:
    for path in (source, source / PYPI.name / "all.zip", source / "all.zip"):
        if path.is_file():
            return path
    raise MissingToolError(
        "there is no advisory export where FLOE_ADVISORIES points",
        where=str(source),
        why="neither the path itself, nor PyPI/all.zip or all.zip below it, is a file",
        remedy="set FLOE_ADVISORIES to an OSV export of the ecosystem PyPI (all.zip)",
    )


def _records(path: Path) -> Iterator[Record]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".json")]
            largest = max((member.file_size for member in members), default=0)
            if largest > MAX_RECORD or sum(member.file_size for member in members) > MAX_WHOLE:
                raise _broken(path, f"unpacked it is larger than {MAX_WHOLE} bytes, or a record than {MAX_RECORD}")
            for member in members:
                yield _record(path, member.filename, archive.read(member))
    except ARCHIVE_ERRORS as error:
        raise _broken(path, f"the archive is truncated or corrupt: {error}") from error


def _record(path: Path, name: str, body: bytes) -> Record:
    try:
        record = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"{name} is not JSON: {error}") from error
    problem = _problem(record)
    if problem:
        raise _broken(path, f"{name} is no OSV record that this audit can read: {problem}")
    record.setdefault("affected", [])
    return dict(record)


def _problem(record: Any) -> str:
    """What keeps `record` from being read, or nothing. pip-audit passes over such records with a mere warning."""
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        return "it has no id"
    schema = str(record.get("schema_version") or "1.0.0")
    if not schema.startswith("1."):
        return f"its schema version is {schema}, not 1"
    affected = record.get("affected", [])
    if not isinstance(affected, list) or not all(_readable(entry) for entry in affected):
        return "its `affected` names no package and ecosystem, or has versions or ranges of another shape"
    aliases = record.get("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
        return "its `aliases` are no list of ids"
    return ""


def _readable(entry: Any) -> bool:
    if not isinstance(entry, dict) or not isinstance(entry.get("package"), dict):
        return False
    package, ranges, versions = entry["package"], entry.get("ranges") or [], entry.get("versions") or []
    return (
        isinstance(package.get("name"), str)
        and isinstance(package.get("ecosystem"), str)
        and isinstance(versions, list)
        and all(isinstance(version, str) for version in versions)
        and isinstance(ranges, list)
        and all(_readable_range(item) for item in ranges)
    )


def _readable_range(item: Any) -> bool:
    if not isinstance(item, dict) or not isinstance(item.get("type"), str):
        return False
    events = item.get("events")
    return isinstance(events, list) and all(
        isinstance(event, dict) and all(isinstance(value, str) for value in event.values()) for event in events
    )


def _modified(path: Path, record: Record) -> datetime:
    try:
        moment = datetime.fromisoformat(record["modified"])
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(path, f"{record['id']} does not say when it was modified") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _names(record: Record, ecosystem: Ecosystem) -> set[str]:
    packages = [entry["package"] for entry in record["affected"]]
    return {ecosystem.normal(package["name"]) for package in packages if package["ecosystem"] == ecosystem.name}


def _broken(path: Path, why: str) -> WrongStateError:
    return WrongStateError(
        "the advisory snapshot cannot be used",
        where=str(path),
        why=why,
        remedy="fetch the OSV export of the ecosystem again and compare its size with the source's",
    )
