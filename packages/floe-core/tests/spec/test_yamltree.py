from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from floe_core.spec import yamltree
from floe_core.spec.source import child
from floe_core.spec.yamltree import YamlError, parse
from hypothesis import given, settings
from hypothesis import strategies as st


def refused(text: str | bytes) -> YamlError:
    with pytest.raises(YamlError) as caught:
        parse(text if isinstance(text, bytes) else text.encode())
    return caught.value


def test_every_value_knows_its_place() -> None:
    root = parse(b"a: 1\nb:\n  - x\n  - {c: true}\n")
    assert root.keys == {"a": (1, 1), "b": (2, 1)}
    listed = child(root, "b")
    assert listed is not None
    second = child(listed, 1)
    assert second is not None
    assert (second.line, second.column) == (4, 5)
    assert second.keys == {"c": (4, 6)}
    assert root.plain() == {"a": 1, "b": ["x", {"c": True}]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("no", "no"),
        ("2026-11-23", "2026-11-23"),
        ("12:30:45", "12:30:45"),
        ("0x1F", "0x1F"),
        ("true", True),
        ("'true'", "true"),
        ("~", None),
        ("null", None),
        ("12", 12),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("'12'", "12"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("|\n  12", "12"),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    plain = parse(f"key: {text}".encode()).plain()
    assert plain == {"key": value}
    assert type(plain["key"]) is type(value)


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("a: 1\na: 2", "stands here twice (first in line 1)", 2),
        ("a: [1", "not YAML", 2),
        ("a:\n\t- 1", "not YAML", 2),
        ("", "empty", 1),
        ("a: 1\n---\nb: 2", "more than one document", 2),
        ("a: !!python/object/apply:os.system [ls]", "tag", 1),
        ("a: !custom x", "tag", 1),
        ("? [a, b]\n: 1", "plain name", 1),
        ("base: &b {x: 1}\nc:\n  <<: *b", "merge keys", 3),
        ("a: *nothing", "nothing that is complete", 1),
        ("a: &a [*a]", "nothing that is complete", 1),
        ("a: 12345678901234567890", "digits", 1),
    ],
)
def test_what_we_do_not_take_is_refused_at_its_line(text: str, reason: str, line: int) -> None:
    error = refused(text)
    assert reason in error.reason
    assert error.line == line


@pytest.mark.parametrize("sign", ["", "-", "+"])
def test_a_sign_is_no_digit(sign: str) -> None:
    largest = "9" * yamltree.MAX_DIGITS
    assert parse(f"{sign}{largest}".encode()).plain() == int(f"{sign}{largest}")
    assert "digits" in refused(f"a: {sign}1{largest}").reason


def test_tabs_are_named_as_the_cause() -> None:
    assert refused("a:\n\t- 1").remedy == "indent with spaces, not tabs"


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    error = refused(b"a: 1\nb: \xff")
    assert "UTF-8" in error.reason
    assert error.line == 2


def test_an_alias_is_a_copy() -> None:
    plain = parse(b"a: &x [1]\nb: *x").plain()
    plain["a"].append(2)
    assert plain["b"] == [1]


def test_depth_is_bounded_in_every_way() -> None:
    deep = yamltree.MAX_DEPTH
    assert parse(b"[" * deep + b"]" * deep).height == deep
    assert "deeper" in refused(b"[" * (deep + 1) + b"]" * (deep + 1)).reason
    assert "deeper" in refused(b"[" * 100_000).reason
    ladder = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, deep + 5))
    assert "deeper" in refused(ladder).reason


def test_aliases_cannot_explode() -> None:
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    laughs += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 30))
    begin = time.process_time()
    assert "after aliases" in refused(laughs).reason
    assert time.process_time() - begin < 2


def test_size_is_bounded() -> None:
    assert "larger" in refused(b"#" * (yamltree.MAX_BYTES + 1)).reason


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=400))
def test_any_bytes_give_a_tree_or_a_reason(raw: bytes) -> None:
    reason = "none needed"
    try:
        json.dumps(parse(raw).plain(), allow_nan=False)
    except YamlError as error:
        reason = error.reason
    assert reason
    assert "\n" not in reason


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**16), 10**16)
    | st.text(st.characters(codec="utf-8", exclude_categories=["C"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "key", "x y"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(deadline=None)  # a busy machine is no failure
@given(JSON)
def test_json_reads_as_itself(value: object) -> None:
    assert parse(json.dumps(value, ensure_ascii=False).encode()).plain() == value


def test_the_number_of_values_is_bounded_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yamltree, "MAX_NODES", 100)
    assert "more than 100 values" in refused("[" + "a," * 100 + "]").reason
    assert "more than 100 values" in refused("[" + "a," * 60 + "[" + "a," * 60).reason
    assert "more than 100 values" in refused("{" + ", ".join(f"k{i}: 1" for i in range(100)) + "}").reason


def test_the_length_of_a_text_is_bounded() -> None:
    assert "characters" in refused("a: " + "x" * (yamltree.MAX_TEXT + 1)).reason


@pytest.mark.parametrize(
    ("raw", "line", "column"),
    [
        (b"a: 1\nb: x\x00y", 2, 5),
        (b"a: 1\r\nb: x\x07y", 2, 5),
        (b"a: 1\rb: x\x7fy", 2, 5),
        ("a: ü\u2028b: 1".encode(), 1, 5),
        ("\ufeff\ufeffa: 1".encode(), 1, 1),
        (b"a: \xc3\xbc\nb: \xc3\xbc\xff", 2, 5),
        ("a: 1".encode("utf-16"), 1, 1),
    ],
)
def test_what_nobody_sees_is_refused_at_its_place(raw: bytes, line: int, column: int) -> None:
    error = refused(raw)
    assert (error.line, error.column) == (line, column)
    assert error.remedy


def test_a_mark_of_byte_order_and_line_breaks_of_windows_do_not_move_places() -> None:
    root = parse("\ufeffa: 1\r\nb: ü\r\nc:\r\n  - x\r\n".encode())
    assert root.keys == {"a": (1, 1), "b": (2, 1), "c": (3, 1)}
    assert root.plain() == {"a": 1, "b": "ü", "c": ["x"]}


def test_a_quoted_sign_of_merging_is_a_name() -> None:
    assert parse(b'a: {"<<": 1}').plain() == {"a": {"<<": 1}}


def test_both_parsers_of_pyyaml_know_the_same_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where PyYAML was built without libyaml, its own parser is used: slower, and nothing else is different."""
    paths = sorted((Path(__file__).parent.parent / "corpus").glob("*/*.yaml"))
    fast = [told(path.read_bytes()) for path in paths]
    monkeypatch.delattr("yaml.CSafeLoader")
    assert [told(path.read_bytes()) for path in paths] == fast


def told(raw: bytes) -> object:
    """The tree with its places, or that there is none and in which line."""
    try:
        return parse(raw)
    except YamlError as error:
        return error.line
