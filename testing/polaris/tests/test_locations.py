from __future__ import annotations

import pytest
from polaris_standin.locations import any_overlap, holds, overlap


@pytest.mark.parametrize(
    ("container", "location", "expected"),
    [
        ("s3://b/a", "s3://b/a/", True),
        ("s3://b/a/", "s3://b/a/x", True),
        ("s3://b/a", "s3://b/ab", False),
        ("s3://b/a/x", "s3://b/a", False),
        ("s3://b", "s3://bb/a", False),
    ],
)
def test_a_location_holds_itself_and_what_is_below(container: str, location: str, *, expected: bool) -> None:
    assert holds(container, location) is expected


def test_overlap_goes_both_ways() -> None:
    assert overlap("s3://b/a/x", "s3://b/a")
    assert any_overlap(["s3://b/z", "s3://b/a/x"], iter(["s3://b/q", "s3://b/a"]))
    assert not any_overlap(["s3://b/z"], ["s3://b/a"])
