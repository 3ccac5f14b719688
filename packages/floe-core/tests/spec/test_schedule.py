from __future__ import annotations

from contextlib import suppress

import pytest
from floe_core.spec.schedule import check_cron, check_timezone, timezones
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "text",
    [
        "30 5 * * *",
        "*/15 * * * *",
        "0 0 1,15 * mon-fri",
        "5-20/5 1 * JAN-mar 7",
        "0 0 29 2 *",
        "0 0 30 2 mon",
        "7/10 * * * *",
    ],
)
def test_sound_expressions_pass(text: str) -> None:
    check_cron(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not a cron", "five fields"),
        ("* * * *", "five fields"),
        ("* * * * * *", "five fields"),
        ("@daily", "five fields"),
        ("", "five fields"),
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day of month"),
        ("* * * 13 *", "month"),
        ("* * * foo *", "month"),
        ("* * * * 8", "day of week"),
        ("*/0 * * * *", "step of zero"),
        ("20-10 * * * *", "backwards"),
        ("*-5 * * * *", "minute"),
        ("1,,2 * * * *", "minute"),
        ("-5 * * * *", "minute"),
        ("0 0 30 2 *", "never due"),
        ("0 0 31 4,6,9,11 *", "never due"),
    ],
)
def test_unsound_expressions_name_the_field(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_cron(text)


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(max_size=60))
def test_any_text_is_judged(text: str) -> None:
    with suppress(ValueError):
        check_cron(text)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_time_zones(name: str) -> None:
    check_timezone(name)
    assert name in timezones()


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../UTC", "/etc/passwd", "UTC\0", "Europe", "x" * 1000])
def test_what_is_no_time_zone(name: str) -> None:
    with pytest.raises(ValueError, match="IANA"):
        check_timezone(name)
