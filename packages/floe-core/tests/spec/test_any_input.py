"""Whatever is written into a file: a model or readable problems, in bounded time; never another exception."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from floe_core import schemas
from floe_core.spec import Problem, yamltree
from hypothesis import given, settings
from hypothesis import strategies as st

Judge = Callable[[bytes, str], tuple[Problem, ...]]
CORPUS = Path(__file__).parent.parent / "corpus"
KINDS = ("manifest", "product")
SOUND = {"product": CORPUS / "product.yaml", "manifest": CORPUS / "enterprise.yaml"}


def fields() -> list[str]:
    """Every name of a field, and names that are none."""
    names = {"x", "env", "host", "password", "prod", "<<", "", "é"}
    for kind in KINDS:
        schema = schemas.made(kind)
        for definition in (schema, *schema["$defs"].values()):
            names |= set(definition.get("properties", ()))
    return sorted(names)


NAMES = st.sampled_from(fields())
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=12)
TREES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False) | PLAIN | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | PLAIN, inner, max_size=5),
    max_leaves=20,
)


SIGNS = (b"\t", b"&a ", b"*a", b"!!x ", b"- ", b"{", b"|\n", b"---\n")


def written(tree: object) -> bytes:
    """JSON is YAML."""
    return json.dumps(tree, ensure_ascii=False).encode()


@settings(max_examples=75, deadline=None)
@given(TREES, st.sampled_from(KINDS))
def test_any_tree_is_judged(judge: Judge, tree: object, kind: str) -> None:
    assert judge(written(tree), kind), "a tree made at random is no product and no manifest"


@settings(max_examples=75, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(KINDS))
def test_any_bytes_are_judged(judge: Judge, raw: bytes, kind: str) -> None:
    assert judge(raw, kind)


@cache
def validator(kind: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schemas.made(kind))


@cache
def sound(kind: str) -> bytes:
    return SOUND[kind].read_bytes()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_sound_file_with_bytes_changed_is_judged(judge: Judge, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    raw = bytearray(sound(kind))
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(raw)))
        end = min(len(raw), begin + data.draw(st.integers(0, 8)))
        raw[begin:end] = data.draw(st.binary(max_size=6) | st.sampled_from(SIGNS))
    judge(bytes(raw), kind)


def places(node: object, loc: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield loc
    pairs: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, inner in pairs:
        yield from places(inner, (*loc, step))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_sound_tree_with_a_part_changed_is_judged(judge: Judge, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    tree: Any = yamltree.parse(sound(kind)).plain()
    loc = data.draw(st.sampled_from([one for one in places(tree) if one]))
    holder = tree
    for step in loc[:-1]:
        holder = holder[step]
    holder[loc[-1]] = data.draw(TREES)
    judge(written(tree), kind)


@settings(max_examples=75, deadline=None)
@given(st.data())
def test_what_the_models_take_the_schema_takes(judge: Judge, data: st.DataObject) -> None:
    """A sound tree with a part changed: where the models still take it, so does the editor."""
    kind = data.draw(st.sampled_from(KINDS))
    tree: Any = yamltree.parse(sound(kind)).plain()
    holder, loc = tree, data.draw(st.sampled_from([one for one in places(tree) if one]))
    for step in loc[:-1]:
        holder = holder[step]
    holder[loc[-1]] = data.draw(TREES)
    if not judge(written(tree), kind):
        validator(kind).validate(tree)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 200_000,
        b"{a: " * 200_000,
        b"a: " + b"eyJ-" * 16_000,
        b"a: '" + b"://:" * 16_000 + b"'",
        b"a: " + b"-----BEGIN " * 5_900,
        b"- eyJ.\n" * 100_000,
        b"{" + b",".join(b"k%d: 1" % number for number in range(20_000)) + b"}",
        b"transforms:\n" + b"  - {nam: a, tier: x}\n" * 5_000,
        b"a: &a [x]\nb: [" + b"*a," * 2_000 + b"]",
    ],
    ids=["brackets", "braces", "jwt", "urls", "keys", "list", "fields", "mistakes", "aliases"],
)
def test_what_is_meant_to_take_long_does_not(judge: Judge, raw: bytes) -> None:
    """Each is refused; the bound tells a file that is read in one pass from one that is not."""
    begin = time.process_time()
    assert judge(raw, "product")
    assert time.process_time() - begin < 30
