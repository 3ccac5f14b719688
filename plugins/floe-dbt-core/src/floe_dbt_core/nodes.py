"""What dbt says about a node, as this project says it: from its results, and live from its events."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_core.plugins import DbtNode

if TYPE_CHECKING:
    from floe_dbt_core.tested import TestedNodes

_INSERTED = re.compile(r"^INSERT (\d+)$")
_SQL_LINE = re.compile(r"^\s*LINE \d+:\s?(?P<text>.*)$", re.MULTILINE)
_CSV_LINE = re.compile(r"CSV Error on Line: (?P<line>\d+)")
# dbt reads a seed before the database does; the first row after the header is its row 0.
_LONG_ROW = re.compile(r"Row (?P<row>\d+) has \d+ values, but Table only has \d+ columns")
_CUT = "..."


def from_result(result: Any, tested: TestedNodes) -> DbtNode:
    """A node of a finished command, with its times, its failure's place and the database's words."""
    node = result.node
    message = _plain(result.message or "")
    moments = [moment for timing in result.timing for moment in (timing.started_at, timing.completed_at) if moment]
    return DbtNode(
        unique_id=node.unique_id,
        name=node.name,
        resource_type=str(node.resource_type),
        status=str(result.status),
        started_at=min(moments).replace(tzinfo=UTC) if moments else None,
        finished_at=max(moments).replace(tzinfo=UTC) if moments else None,
        rows=result.failures if result.failures is not None else _rows(message),
        message=message,
        path=node.original_file_path,
        compiled=_place(message, getattr(node, "compiled_path", None), node.original_file_path),
        test=tested.asked_by(node),
    )


def from_event(data: Any) -> DbtNode:
    """A node that has just ended, from dbt's NodeFinished event."""
    info = data.node_info
    return DbtNode(
        unique_id=info.unique_id,
        name=info.node_name,
        resource_type=info.resource_type,
        status=data.run_result.status or info.node_status,
        started_at=_moment(info.node_started_at),
        finished_at=_moment(info.node_finished_at),
        rows=_rows(data.run_result.message),
        message=_plain(data.run_result.message),
    )


def from_start(data: Any) -> DbtNode:
    """A node that has just begun, from dbt's NodeStart event."""
    info = data.node_info
    return DbtNode(
        unique_id=info.unique_id,
        name=info.node_name,
        resource_type=info.resource_type,
        status="started",
        started_at=_moment(info.node_started_at) or datetime.now(UTC),
    )


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _rows(message: str) -> int | None:
    match = _INSERTED.match(message)
    return int(match[1]) if match else None


def _plain(message: str) -> str:
    return "\n".join(line.rstrip() for line in message.strip().splitlines() if line.strip())


def _place(message: str, compiled: str | None, source: str) -> str:
    """`file:line` of the SQL or the CSV that the database complains about; the file alone without a line."""
    csv_line = _CSV_LINE.search(message)
    if csv_line:
        return f"{source}:{csv_line['line']}"
    long_row = _LONG_ROW.search(message)
    if long_row:
        return f"{source}:{int(long_row['row']) + 2}"
    if not compiled:
        return ""
    quoted = _SQL_LINE.search(message)
    line = _find(Path(compiled), quoted["text"]) if quoted else None
    return f"{compiled}:{line}" if line else compiled


def _find(compiled: Path, quoted: str) -> int | None:
    """The line of the compiled file that holds what the database quoted.

    The database counts lines of the statement that dbt wrapped around the model, and cuts long lines with dots at
    either end, so its text is looked for and its number is not used.
    """
    wanted = quoted.strip().removeprefix(_CUT).removesuffix(_CUT).strip()
    if not wanted or not compiled.is_file():
        return None
    lines = compiled.read_text(encoding="utf-8").splitlines()
    return next((number for number, line in enumerate(lines, start=1) if wanted in line), None)
