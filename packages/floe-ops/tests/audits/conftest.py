"""Advisory exports, locks and small projects of the tests' own making."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TODAY = "2026-06-15T12:00:00Z"


def make_record(
    name: str,
    *,
    id: str = "TEST-1",  # noqa: A002 - the record's own word
    introduced: str = "0",
    fixed: str = "",
    modified: str = TODAY,
    **more: Any,
) -> dict[str, Any]:
    """One OSV record about one package with one range."""
    events = [{"introduced": introduced}, *([{"fixed": fixed}] if fixed else [])]
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    affected = [{"package": {"name": name, "ecosystem": "PyPI"}, "ranges": ranges}]
    return {"id": id, "modified": modified, "affected": affected, **more}


@pytest.fixture
def record() -> Callable[..., dict[str, Any]]:
    return make_record


@pytest.fixture
def export(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes records as an OSV export and returns the folder to name in FLOE_ADVISORIES."""

    def write(*records: dict[str, Any], folder: str = "advisories") -> Path:
        path = tmp_path / folder / "PyPI" / "all.zip"
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry in records:
                archive.writestr(f"{entry['id']}.json", json.dumps(entry))
        return tmp_path / folder

    return write
