"""What the doctor says of a Java, which only Spark needs, and of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_ops.targets.local import doctor
from floe_ops.toolchain import java

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("found", "state", "says"),
    [(17, "ok", "17 at "), (11, "note", "older than 17"), (0, "note", "not on PATH")],
)
def test_a_missing_java_is_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: int, state: str, says: str
) -> None:
    monkeypatch.setattr(java, "here", lambda: java.Java(tmp_path / "java", found) if found else None)
    finding = doctor._java()
    assert (finding.what, finding.state) == ("java", state)
    assert says in finding.seen


@pytest.mark.parametrize(
    ("free_mb", "state", "says"),
    [(4000, "ok", "3.9 GB available"), (2999, "note", "Dagster wants"), (999, "note", "1.0 GB wanted")],
)
def test_little_memory_is_a_note(free_mb: int, state: str, says: str) -> None:
    finding = doctor._memory(free_mb)
    assert (finding.what, finding.state) == ("memory", state)
    assert says in finding.seen
