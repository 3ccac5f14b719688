"""What every ingestion plugin promises."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import ValidationError

from floe_core.errors import FloeError
from floe_core.plugins import IngestionError, IngestionPlugin, IngestionRequest, PluginType
from floe_core.testing.base import PluginConformance
from floe_core.testing.expect import expect, refuses

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


class IngestionConformance(PluginConformance):
    """Fixtures: `plugin`, `load_request`, `expected_rows`, `count`, `broken`, `secret`.

    The source of `load_request` adds `expected_rows` rows (by table) with each load, and `count` tells the rows of a
    table in the destination, 0 where there is none. `broken` is a request whose source cannot be read, and whose
    settings refer to a secret with the value `secret`.
    """

    plugin_type: ClassVar[PluginType] = PluginType.INGESTION

    def test_every_row_arrives(
        self,
        plugin: IngestionPlugin[Any],
        load_request: IngestionRequest,
        expected_rows: dict[str, int],
        count: Callable[[str], int],
    ) -> None:
        """Rows are counted by table, and that many are there."""
        result = plugin.load(load_request)
        expect(dict(result.rows) == expected_rows, f"the result counts {expected_rows}, and it says {result.rows}")
        expect(result.elapsed_s > 0, "the load took time")
        for table, rows in expected_rows.items():
            expect(count(table) == rows, f"{table} holds {rows} rows, not {count(table)}")

    def test_tables_are_known_before_the_load_or_not_told(
        self, plugin: IngestionPlugin[Any], load_request: IngestionRequest, expected_rows: dict[str, int]
    ) -> None:
        """Whoever draws the lineage asks before there is a row: all tables of the source, or none."""
        told = plugin.tables(plugin.source_model.model_validate(load_request.source))
        expect(set(told) in ({*expected_rows}, set()), f"the source fills {set(expected_rows)}, and it says {told}")

    def test_state_is_not_bound_to_the_working_folder(
        self,
        plugin: IngestionPlugin[Any],
        load_request: IngestionRequest,
        expected_rows: dict[str, int],
        count: Callable[[str], int],
        tmp_path: Path,
    ) -> None:
        """A second load with another working folder finds what the first one made, and adds to it."""
        plugin.load(load_request)
        plugin.load(dataclasses.replace(load_request, work_dir=tmp_path / "another"))
        for table, rows in expected_rows.items():
            expect(count(table) == 2 * rows, f"{table} holds the rows of both loads")

    def test_nothing_goes_to_the_home(
        self,
        plugin: IngestionPlugin[Any],
        load_request: IngestionRequest,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """What the engine keeps lies in the working folder; neither home nor working directory gets a file."""
        home, here = tmp_path / "home", tmp_path / "here"
        home.mkdir()
        here.mkdir()
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.chdir(here)
        plugin.load(load_request)
        expect(not list(home.rglob("*")), "the home is untouched")
        expect(not list(here.rglob("*")), "the working directory is untouched")

    def test_a_failure_is_told_without_a_secret(
        self, plugin: IngestionPlugin[Any], broken: IngestionRequest, secret: str
    ) -> None:
        """A source that cannot be read raises the type's own error, which names the pipeline and hides the secret."""
        try:
            plugin.load(broken)
        except IngestionError as error:
            told = f"{error} {error!r} {error.__cause__!r}"
            expect(broken.pipeline in str(error), "the error names the pipeline")
            expect(error.why, "the error keeps the engine's reason")
            expect(secret not in told, "the error holds no secret")
            return
        raise AssertionError("a source that cannot be read raises IngestionError")

    def test_a_failure_leaves_what_was_there(
        self,
        plugin: IngestionPlugin[Any],
        load_request: IngestionRequest,
        broken: IngestionRequest,
        expected_rows: dict[str, int],
        count: Callable[[str], int],
    ) -> None:
        """After a failed load the rows of the earlier one are there, once, and the next load works."""
        plugin.load(load_request)
        with refuses(FloeError, "the broken source is refused"):
            plugin.load(broken)
        for table, rows in expected_rows.items():
            expect(count(table) == rows, f"{table} is as it was")
        expect(dict(plugin.load(load_request).rows) == expected_rows, "the next load works")

    def test_settings_of_a_source_are_strict(
        self, plugin: IngestionPlugin[Any], load_request: IngestionRequest
    ) -> None:
        """The model takes the source, refuses an unknown field and a missing one, survives JSON, and has a schema."""
        model = plugin.source_model
        source = model.model_validate(load_request.source)
        kept = source.model_dump(mode="json", by_alias=True, exclude_none=True)
        expect(model.model_validate(kept) == source, "settings survive JSON")
        expect(model.model_json_schema(), "settings have a JSON Schema")
        for wrong in ({**kept, "no_such_field": 1}, {}):
            with refuses(ValidationError, "unknown and missing fields are refused"):
                model.model_validate(wrong)
            with refuses(IngestionError, "and so they are by a load"):
                plugin.load(dataclasses.replace(load_request, source=wrong))
