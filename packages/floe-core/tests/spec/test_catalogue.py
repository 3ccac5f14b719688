"""The catalogue of error codes: whole, in order, and found however a code is written."""

from __future__ import annotations

import re

import pytest
from floe_core.enforcement import CHECKS
from floe_core.errors import UsageError
from floe_core.spec import problems
from floe_core.spec.catalogue import catalogue, find
from hypothesis import given
from hypothesis import strategies as st

CODE = re.compile(r"FLOE-E[0-9]{3}")


def codes() -> set[str]:
    """Every code of the source: the constants of problems.py, and one of each check."""
    constants = {value for value in vars(problems).values() if isinstance(value, str) and CODE.fullmatch(value)}
    return constants | {check.code for check in CHECKS}


def test_every_code_has_its_entry_and_every_entry_its_code() -> None:
    assert {entry.code for entry in catalogue()} == codes()


def test_no_two_kinds_of_problem_share_a_code() -> None:
    constants = [value for value in vars(problems).values() if isinstance(value, str) and CODE.fullmatch(value)]
    used = [*constants, *(check.code for check in CHECKS)]
    assert sorted(used) == sorted(set(used))


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.code)
def test_an_entry_says_cause_cure_and_example(entry: object) -> None:
    told = {name: str(getattr(entry, name)) for name in ("title", "cause", "cure", "example")}
    assert all(told.values())
    assert not told["title"].endswith(".")
    assert told["cause"].endswith(".")
    assert told["cure"].endswith(".")
    assert len({*told.values()}) == 4


@pytest.mark.parametrize("word", ["FLOE-E203", "floe-e203", "E203", "203", " e203 "])
def test_a_code_is_found_however_it_is_written(word: str) -> None:
    assert find(word).code == "FLOE-E203"


def test_an_unknown_code_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="no error code 'E1090'") as caught:
        find("E1090")
    assert caught.value.remedy.startswith("floe explain FLOE-E")
    with pytest.raises(UsageError) as near:
        find("E219")
    assert "FLOE-E217" in near.value.remedy


@given(st.text(max_size=50))
def test_any_word_is_an_entry_or_a_matter_of_usage(word: str) -> None:
    try:
        code = find(word).code
    except UsageError as error:
        code = error.remedy
    assert CODE.search(code)
