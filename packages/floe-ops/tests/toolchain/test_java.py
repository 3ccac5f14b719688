"""The Java that Spark runs on: the machine's own, when it is new enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.errors import MissingToolError
from floe_ops.toolchain import java

if TYPE_CHECKING:
    from pathlib import Path


def put(folder: Path, says: str) -> Path:
    folder.mkdir(parents=True)
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    program.chmod(0o755)
    return program


def test_java_home_wins_over_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "path", 'openjdk version "21.0.1" 2025-04-15')
    mine = put(tmp_path / "home" / "bin", 'openjdk version "17.0.15" 2025-04-15')
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert java.find() == java.Java(mine, 17)
    monkeypatch.delenv("JAVA_HOME")
    assert java.find() == java.Java(tmp_path / "path" / "java", 21)


def test_an_old_java_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = put(tmp_path / "path", 'openjdk version "11.0.2" 2019-01-15')
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin:/bin")
    with pytest.raises(MissingToolError) as caught:
        java.find()
    assert caught.value.why == f"{old} is Java 11"
    assert "JAVA_HOME" in caught.value.remedy


def test_no_java_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert java.here() is None
    with pytest.raises(MissingToolError, match="Java 17"):
        java.find()


def test_a_program_that_is_no_java_counts_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "home" / "bin", "hello")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert java.here() is None
