from __future__ import annotations

from floe_alert_webhook.texts import clean, cut, line, units
from hypothesis import given
from hypothesis import strategies as st


@given(st.text(alphabet=st.characters(), max_size=200))
def test_clean_text_can_be_encoded(text: str) -> None:
    assert clean(text).encode().decode() == clean(text)
    assert "\n" not in line(text)


def test_what_cannot_be_printed_is_replaced() -> None:
    assert clean("a\x1b[31m\u202eb\ud800\r\nc\td") == "a\ufffd[31m\ufffdb\ufffd\nc\td"
    assert line("  a\n b\t c ") == "a b c"


@given(st.text(alphabet=st.sampled_from("a🚨é"), max_size=60), st.integers(1, 40))
def test_a_cut_text_fits_and_begins_the_same(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert units(short) == len(short.encode("utf-16-le")) // 2 <= limit
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))
    if units(text) <= limit:
        assert short == text
