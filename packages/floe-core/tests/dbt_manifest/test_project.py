"""The files of a dbt project: what is found, and what is left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from floe_core.dbt_manifest import find, project

Write = Callable[..., Path]


def test_the_files_of_a_project_are_found(tmp_path: Path, dbt_files: Write) -> None:
    folder = dbt_files(tmp_path, manifest=False)
    (folder / "macros").mkdir()
    (folder / "macros" / "m.sql").write_text("{% macro m() %}1{% endmacro %}")
    (folder / "models" / "deep").mkdir()
    (folder / "models" / "deep" / "bronze_events.py").write_text("x = 1")
    found = find(folder)
    assert found is not None
    assert {one.path for one in found.models} == {
        "models/bronze_orders.sql",
        "models/silver_orders.sql",
        "models/gold_orders_by_day.sql",
        "models/deep/bronze_events.py",
    }
    assert [one.path for one in found.documents] == ["dbt_project.yml", "models/schema.yml"]
    assert [one.path for one in found.others] == ["macros/m.sql"]
    assert (found.name, found.doubt, found.harmless) == ("orders", "", frozenset({"m"}))


def test_without_a_project_file_a_folder_of_models_is_enough(tmp_path: Path) -> None:
    assert find(tmp_path) is None
    (tmp_path / "models").mkdir()
    found = find(tmp_path)
    assert found is not None
    assert (found.name, found.target_path, found.models) == ("", "target", ())


def test_paths_are_those_of_the_project_and_stay_inside(tmp_path: Path) -> None:
    (tmp_path / "product" / "sql").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    for path in ("product/sql/a.sql", "outside/b.sql"):
        (tmp_path / path).write_text("select 1")
    (tmp_path / "product" / "dbt_project.yml").write_text(
        "name: '{{ x }}'\nmodel-paths: [sql, ../outside, '{{ y }}']\n"
    )
    found = find(tmp_path / "product")
    assert found is not None
    assert [one.path for one in found.models] == ["sql/a.sql"]
    assert found.name == ""


def test_links_that_lead_round_in_a_circle_end(tmp_path: Path, dbt_files: Write) -> None:
    folder = dbt_files(tmp_path, manifest=False)
    (folder / "models" / "again").symlink_to(folder / "models")
    found = find(folder)
    assert found is not None
    assert len(found.models) <= 6


@pytest.mark.parametrize(
    "text", ["name: [", "a: &x {<<: 1}", "- just\n- a list", "\0", "models: {orders: {+enabled: false}}"]
)
def test_a_project_file_that_says_little_is_no_failure(tmp_path: Path, dbt_files: Write, text: str) -> None:
    folder = dbt_files(tmp_path, manifest=False)
    (folder / "dbt_project.yml").write_text(text)
    found = find(folder)
    assert found is not None
    assert len(found.models) == 3
    assert bool(found.doubt) == ("enabled" in text)


def test_the_number_of_files_is_bounded(tmp_path: Path, dbt_files: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = dbt_files(tmp_path, manifest=False)
    monkeypatch.setattr(project, "MAX_FILES", 2)
    found = find(folder)
    assert found is not None
    assert (len(found.models), found.doubt) == (2, "too many")
