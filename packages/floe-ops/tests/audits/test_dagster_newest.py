from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from floe_core.errors import MissingToolError
from floe_ops.audits import dagster_newest
from floe_ops.audits.dagster_newest import Newest, newest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in uv's place, to be written by the test."""
    program = tmp_path / "uv"
    monkeypatch.setattr(dagster_newest, "uv", lambda: str(program))
    return program


def says(program: Path, out: str, code: int = 0) -> None:
    program.write_text(f"#!/bin/sh\ncat <<'SAID'\n{out}\nSAID\nexit {code}\n", encoding="utf-8")
    program.chmod(0o755)


def test_a_newer_release_of_the_same_major_is_told(uv: Path) -> None:
    says(uv, "dagster==1.13.99\n    # via -r -")
    found = newest()
    assert not found.is_next_major
    assert "is 1.13.99, installed is 1." in found.sentence()
    assert found.sentence().endswith("no 2.0 yet")


def test_a_first_release_of_the_next_major_is_told(uv: Path) -> None:
    says(uv, "dagster==2.0.1")
    assert newest().is_next_major
    assert "dagster 2.0.1 is on the index" in newest().sentence()


@pytest.mark.parametrize(("out", "code"), [("", 0), ("dagster==9", 2), ("nothing of it", 0)])
def test_an_index_that_does_not_answer_is_told_and_is_no_error(uv: Path, out: str, code: int) -> None:
    says(uv, out, code)
    found = newest()
    assert not found.version
    assert "did not say which dagster is the newest" in found.sentence()


def test_one_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_words: object, **_options: object) -> None:
        raise subprocess.TimeoutExpired("uv", 1)

    monkeypatch.setattr(subprocess, "run", hang)
    assert newest() == Newest("", newest().installed, "no answer within 60 s")


def test_no_uv_is_missing(uv: Path) -> None:
    assert not uv.exists()
    with pytest.raises(MissingToolError, match="the index cannot be asked"):
        newest()
