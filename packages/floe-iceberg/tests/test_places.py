"""Work at the object store is done a bounded number at a time, and places have one name."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from floe_iceberg.places import key_of, listing, remove, size, together
from pyiceberg.io.pyarrow import PyArrowFileIO

if TYPE_CHECKING:
    from pathlib import Path


def test_results_come_in_order_and_no_more_than_asked_are_under_way() -> None:
    lock, under_way, most = threading.Lock(), 0, 0
    drawn: list[int] = []

    def work(number: int) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        with lock:
            under_way -= 1
        return number * 2

    def items() -> object:
        for number in range(50):
            drawn.append(number)
            yield number

    results = together(work, items(), at_once=4)  # type: ignore[arg-type] # a generator of numbers
    assert next(results) == 0
    assert len(drawn) <= 5, "items are taken as they are needed"
    assert list(results) == [number * 2 for number in range(1, 50)]
    assert most <= 4


def test_an_error_is_the_callers() -> None:
    with pytest.raises(ZeroDivisionError):
        list(together(lambda number: 1 // number, [1, 0]))


def test_one_place_has_one_key() -> None:
    assert key_of("s3://bucket/a/b") == key_of("s3a://bucket/a/b") == "bucket/a/b"
    assert key_of("file:///a/b") == key_of("/a/b") == "/a/b"


def test_a_listing_ends_at_the_location(tmp_path: Path) -> None:
    for place in ("t/data/x=1/f", "t/g", "t2/h"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(b"abc")
    io = PyArrowFileIO()
    found = {one.location: one.bytes for one in listing(io, f"file://{tmp_path}/t")}
    assert found == {f"file://{tmp_path}/t/data/x=1/f": 3, f"file://{tmp_path}/t/g": 3}
    assert list(listing(io, f"file://{tmp_path}/nothing")) == []
    assert size(io, f"{tmp_path}/t/g") == 3
    assert remove(io, f"{tmp_path}/t/g")
    assert not remove(io, f"{tmp_path}/t/g")
    assert size(io, f"{tmp_path}/t/g") is None
