"""A project is parsed once for the commands that follow one another, and anew after any change."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from floe_core.plugins import DbtCommand, DbtRequest
from floe_dbt_core.parsed import Parsed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def asked(tmp_path: Path) -> DbtRequest:
    (tmp_path / "models").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "models" / "a.sql").write_text("select 1")
    return DbtRequest(DbtCommand.PARSE, tmp_path, tmp_path, "duckdb", tmp_path / "target", variables={"a": 1})


@pytest.fixture
def parse() -> Callable[[], object]:
    """Gives another manifest each time that it is called."""
    return object


def test_a_second_command_takes_what_was_parsed(asked: DbtRequest, parse: Callable[[], object]) -> None:
    parsed = Parsed()
    first = parsed.get(asked, parse)
    (asked.target_path / "manifest.json").write_text("{}")
    assert parsed.get(replace(asked, select=("a",), full_refresh=True), parse) is first


@pytest.mark.parametrize("change", ["file", "new", "environment", "target", "variables"])
def test_any_change_is_parsed_anew(
    asked: DbtRequest, parse: Callable[[], object], change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = Parsed()
    first = parsed.get(asked, parse)
    model = asked.project_dir / "models" / "a.sql"
    if change == "file":
        model.write_text("select 2")
        os.utime(model, ns=(1, 1))
    elif change == "new":
        (asked.project_dir / "models" / "b.yml").touch()
    elif change == "environment":
        monkeypatch.setenv("SOMETHING", "else")
    elif change == "target":
        asked = replace(asked, target="iceberg")
    else:
        asked = replace(asked, variables={"a": 2})
    assert parsed.get(asked, parse) is not first


def test_what_cannot_be_parsed_is_tried_again(asked: DbtRequest, parse: Callable[[], object]) -> None:
    parsed = Parsed()

    def fails() -> object:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        parsed.get(asked, fails)
    assert parsed.get(asked, parse) is not None
