from __future__ import annotations

import pytest
from floe_core.errors import ExitCode, UsageError
from floe_ops import words
from hypothesis import given
from hypothesis import strategies as st


@given(st.floats(min_value=0.001, max_value=words.MAX_SECONDS))
def test_every_duration_is_read_back(value: float) -> None:
    assert words.seconds(repr(value), "--timeout") == value
    assert words.seconds(f" {value!r}s ", "--timeout") == value


@given(st.text(max_size=12))
def test_any_text_is_seconds_or_a_usage_error(text: str) -> None:
    try:
        value = words.seconds(text, "--timeout")
    except UsageError as error:
        assert error.exit_code == ExitCode.USAGE  # noqa: PT017 - either outcome is right, each has its own rule
        assert "--timeout" in str(error)  # noqa: PT017 - as above
    else:
        assert 0 < value <= words.MAX_SECONDS


@pytest.mark.parametrize("text", ["abc", "", "0", "-1", "nan", "inf", "1e9", "1_0", "٣", "1 2", "0x1"])
def test_what_is_no_duration_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="--timeout"):
        words.seconds(text, "--timeout")


@given(st.integers(min_value=-5, max_value=200))
def test_counts_have_bounds(value: int) -> None:
    if 1 <= value <= 100:
        assert words.count(str(value), "--streak") == value
    else:
        with pytest.raises(UsageError, match="--streak"):
            words.count(str(value), "--streak")


@pytest.mark.parametrize("text", ["", "x", "1.0", "²", "9" * 5000, "1_0"])
def test_what_is_no_count_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="--streak"):
        words.count(text, "--streak")
