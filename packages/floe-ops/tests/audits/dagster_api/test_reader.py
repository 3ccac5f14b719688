from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.errors import UsageError
from floe_ops.audits.dagster_api import reader
from floe_ops.audits.dagster_api.model import Row, Use
from floe_ops.audits.dagster_api.reader import python_files, read

if TYPE_CHECKING:
    from pathlib import Path


def uses(folder: Path, text: str, own: frozenset[str] = frozenset()) -> set[tuple[int, str, str]]:
    file = folder / "m.py"
    file.write_text(text, encoding="utf-8")
    result = read(file, "m.py", own)
    assert isinstance(result, list), result
    return {(use.line, use.symbol, use.role) for use in result}


def test_imports_aliases_attributes_and_bases(tmp_path: Path) -> None:
    found = uses(
        tmp_path,
        "import dagster as dg\n"
        "import dagster_dbt.core\n"
        "from dagster import asset as a, AssetKey\n"
        "x = dg.RunRequest\n"
        "class C(dg.IOManager): pass\n"
        "@a\n"
        "def f(): ...\n"
        "dagster_dbt.core.run\n",
    )
    assert found == {
        (1, "dagster", "import"),
        (2, "dagster_dbt.core", "import"),
        (3, "dagster.asset", "import"),
        (3, "dagster.AssetKey", "import"),
        (4, "dagster.RunRequest", "attribute"),
        (5, "dagster.IOManager", "base"),
        (6, "dagster.asset", "attribute"),
        (8, "dagster_dbt.core.run", "attribute"),
    }


def test_a_call_carries_its_keywords_and_its_positional_arguments(tmp_path: Path) -> None:
    file = tmp_path / "m.py"
    file.write_text("from dagster import asset\nasset(1, 2, *rest, name='n', **more)\n", encoding="utf-8")
    result = read(file, "m.py", frozenset())
    assert isinstance(result, list)
    assert result[1] == Use("m.py", 2, "dagster.asset", "call", ("name",), 2)


def test_instances_by_annotation_by_construction_and_optional(tmp_path: Path) -> None:
    found = uses(
        tmp_path,
        "import dagster as dg\n"
        "def f(a: dg.A, b: 'dg.B', c: dg.C | None, d: int):\n"
        "    made = dg.M()\n"
        "    return a.x, b.y, c.z, d.w, made.v\n",
    )
    assert {symbol for line, symbol, role in found if line == 4} == {
        "dagster.A().x",
        "dagster.B().y",
        "dagster.C().z",
        "dagster.M().v",
    }


def test_names_that_mean_something_else_are_left_alone(tmp_path: Path) -> None:
    found = uses(
        tmp_path,
        "from dagster import asset, sensor\n"
        "def f(asset):\n"
        "    return asset.nope\n"
        "def g():\n"
        "    sensor = 3\n"
        "    return sensor.nope\n"
        "h = [asset.nope for asset in ()]\n"
        "k = lambda asset: asset.nope\n"
        "from other import dagster_thing\n"
        "from . import dagster\n",
    )
    assert {entry for entry in found if "nope" in entry[1]} == set()
    assert {line for line, _, _ in found} == {1}


def test_a_fallback_to_none_does_not_hide_the_name(tmp_path: Path) -> None:
    text = "try:\n    from dagster import X\nexcept ImportError:\n    X = None\ndef f():\n    return X.y\n"
    assert (6, "dagster.X.y", "attribute") in uses(tmp_path, text)


def test_a_reassigned_name_means_the_new_thing_from_then_on(tmp_path: Path) -> None:
    found = uses(tmp_path, "from dagster import asset\nasset = asset(1)\nasset = 3\nasset.nope\n")
    assert (2, "dagster.asset", "call") in found
    assert not any("nope" in symbol for _, symbol, _ in found)


def test_overrides_star_and_dynamic_imports(tmp_path: Path) -> None:
    found = uses(
        tmp_path,
        "from importlib import import_module\n"
        "from dagster import *\n"
        "import dagster as dg\n"
        "class M(dg.IOManager):\n"
        "    def load_input(self): ...\n"
        "m = import_module('dagster_dlt')\n"
        "m.translate\n",
    )
    assert (2, "dagster.*", "import") in found
    assert (5, "dagster.IOManager.load_input", "override") in found
    assert (6, "dagster_dlt", "import") in found
    assert (7, "dagster_dlt.translate", "attribute") in found


def test_an_own_package_named_like_a_library_is_not_one(tmp_path: Path) -> None:
    assert uses(tmp_path, "import dagster_mine\ndagster_mine.x\n", frozenset({"dagster_mine"})) == set()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"def (\n", "invalid syntax"),
        (b"x = '\xff'\n", "declared encoding"),
        (b"x = 1\0\n", "null bytes"),
        (b"(" * 300 + b"\n", "too many nested parentheses"),
        (b"x = " + b"-" * 200_000 + b"1\n", "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_row_that_says_why(tmp_path: Path, content: bytes, why: str) -> None:
    file = tmp_path / "m.py"
    file.write_bytes(content)
    result = read(file, "m.py", frozenset())
    assert isinstance(result, Row)
    assert result.lifecycle == "unparsable"
    assert why in result.note


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_BYTES", 10)
    (tmp_path / "m.py").write_text("x = 'more than ten bytes'", encoding="utf-8")
    result = read(tmp_path / "m.py", "m.py", frozenset())
    assert isinstance(result, Row)
    assert "larger than" in result.note


def test_files_below_a_folder_without_the_hidden_and_the_built(tmp_path: Path) -> None:
    for name in ("a.py", "p/b.py", ".venv/c.py", "build/d.py", "p/__pycache__/e.py", "p/note.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert python_files(tmp_path) == [tmp_path / "a.py", tmp_path / "p" / "b.py"]
    assert python_files(tmp_path / "a.py") == [tmp_path / "a.py"]


@pytest.mark.parametrize("name", ["absent", "empty"])
def test_nothing_to_audit_is_a_usage_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="audit"):
        python_files(tmp_path / name)
