"""Seeds as exact text; Spark itself casts them in `invoke dbt.spark`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from floe_compute_spark import seeds

if TYPE_CHECKING:
    from pathlib import Path


def put(folder: Path, text: str) -> str:
    file = folder / "seed.csv"
    file.write_bytes(text.encode())
    return str(file)


def test_values_stay_as_they_are_written(tmp_path: Path) -> None:
    text = 'id,amount,name\n1,123456789012345678.10,"a, ""b"""\n2,,\n'
    seed = seeds.read(put(tmp_path, text), ",", {"ID": "integer", "amount": "decimal(20, 2)"})
    assert seed.types == {"id": "int", "amount": "decimal(20,2)", "name": "string"}
    assert seed.rows == [(2, "1", "123456789012345678.10", 'a, "b"'), (3, "2", None, None)]


def test_another_delimiter_and_a_byte_order_mark(tmp_path: Path) -> None:
    assert seeds.read(put(tmp_path, "\ufeffa;b\n1;2\n"), ";", {}).rows == [(2, "1", "2")]


def test_a_header_alone_is_an_empty_table(tmp_path: Path) -> None:
    seed = seeds.read(put(tmp_path, "a,b\n"), ",", {"a": "date"})
    assert (seed.types, seed.rows) == ({"a": "date", "b": "string"}, [])


@pytest.mark.parametrize(
    ("text", "told"),
    [("a,b\n1,2\n3\n", r"seed\.csv:3: 1 fields where the header has 2"), ('a,b\n1,"2\n', r"seed\.csv cannot be read")],
)
def test_a_broken_line_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(seeds.SeedError, match=told):
        seeds.read(put(tmp_path, text), ",", {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(seeds.SeedError, match="cannot be read"):
        seeds.read(str(tmp_path / "gone.csv"), ",", {})


class Frame:
    """A DataFrame that answers `collect` from a list and keeps what it is asked."""

    def __init__(self, asked: list[Any], answers: list[Any]) -> None:
        self.asked, self.answers = asked, answers

    def __getattr__(self, name: str) -> Any:
        def ask(*words: Any) -> Frame:
            self.asked.extend(words)
            return self

        return ask

    def collect(self) -> Any:
        return self.answers.pop(0)


class Spark:
    """A session whose frames give `answers`, one after another."""

    def __init__(self, *answers: Any) -> None:
        self.asked: list[Any] = []
        self.answers = list(answers)

    def createDataFrame(self, rows: Any, schema: str) -> Frame:  # noqa: N802 - Spark's name
        self.asked.extend([rows, schema])
        return Frame(self.asked, self.answers)


def test_spark_casts_each_column_by_name(tmp_path: Path) -> None:
    spark = Spark([])
    seeds.read(put(tmp_path, "a,b\n1,2\n"), ",", {"a": "bigint"}).frame(spark)
    assert spark.asked[:2] == [[(2, "1", "2")], "`__line` int, `a` string, `b` string"]
    assert spark.asked[-2:] == ["cast(`a` as bigint) as `a`", "cast(`b` as string) as `b`"]


def test_a_value_that_does_not_fit_is_named_with_its_line(tmp_path: Path) -> None:
    path = put(tmp_path, "a,b\n1,2\n2,x\n")
    spark = Spark([(3, "2", "x")], [(2,)], [(None,)])
    with pytest.raises(seeds.SeedError) as caught:
        seeds.read(path, ",", {"a": "int", "b": "int"}).frame(spark)
    assert str(caught.value) == f"{path}:3: 'x' is no int, which the column b is declared as"
