"""What a parser of outside input must live through: any bytes, any JSON, and a sound document wrong at one place.

For tests with Hypothesis, which is no dependency of floe_core: whoever imports this module brings it.
"""

from __future__ import annotations

import copy
import json
import time
from typing import TYPE_CHECKING, Any, Final

from hypothesis import Phase, settings
from hypothesis import strategies as st

from floe_core.errors import FloeError
from floe_core.testing.expect import expect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONGEST_S: Final = 5.0
"""Seconds of processor time that one input may take, far above what any needs on a busy machine."""

BOUNDED: Final = settings(max_examples=40, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
"""How a reader is tried: few inputs, since each is aimed; not shrunk, since they are small by construction."""

HOSTILE: Final = (
    b"",
    b"null",
    b"\xff\xfe\x00",
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b"9" * 5_000,
    b"[1e999, -1e999, NaN]",
    b'"\\ud800"',
    b'{"a": 1, "a": {}}',
    b"[" + b"{}," * 2_000 + b"{}]",
)
"""Empty, another encoding, nested too deeply, numbers without a value, half a character, one key twice, long."""

_TEXT = st.text(max_size=8) | st.sampled_from(["", "\ud800", "0", "-1", "1e999", "2026-13-45T99:99:99Z", "<script>"])
_NUMBERS = st.integers() | st.sampled_from([10**400, -(10**400), 2**63]) | st.floats()
VALUES: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
"""Any JSON value, also what Python's reader takes beyond the standard: infinities, half a surrogate pair."""


class Input(bytes):
    """Bytes that are not shown in full when a test fails."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Input({bytes(self[:200])!r}, {len(self)} bytes)"


def inputs(*sound: object) -> st.SearchStrategy[bytes]:
    """Bytes to read: arbitrary, hostile, arbitrary JSON, and each of the sound documents changed at one place."""
    changed = [wrong(document).map(encoded) for document in sound]
    return st.one_of(*changed, VALUES.map(encoded), st.binary(max_size=64), st.sampled_from(HOSTILE)).map(Input)


@st.composite
def wrong(draw: st.DrawFn, document: object) -> Any:
    """The document with one of its parts gone, or another value in its place."""
    holder: Any = {"all": copy.deepcopy(document)}
    whole = holder
    at = draw(st.sampled_from(list(_places(document, ("all",)))))
    for step in at[:-1]:
        holder = holder[step]
    if len(at) > 1 and draw(st.booleans()):
        del holder[at[-1]]
    else:
        holder[at[-1]] = draw(VALUES)
    return whole["all"]


def encoded(value: object) -> bytes:
    """As a JSON writer sends it: half a surrogate pair is escaped, as only an escape can carry it."""
    return json.dumps(value).encode()


def lives_through(read: Callable[[], object], *, errors: type[Exception] = FloeError) -> None:
    """Hold a reader to its word: it gives a value or raises `errors` with a reason, within bounded time.

    Args:
        read: Reads one input.
        errors: What it may raise; a FloeError must say where it was found as well.

    Raises:
        FloeConformanceError: It was slow, or its error tells nothing.
    """
    began = time.process_time()
    try:
        read()
    except errors as error:
        expect(bool(str(error).strip()) and "Traceback" not in str(error), "an error says in words what is wrong")
        expect(not isinstance(error, FloeError) or bool(error.where), f"an error names its place: {error}")
    expect(time.process_time() - began < LONGEST_S, f"an input is read within {LONGEST_S:g} s")


def _places(node: object, at: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    yield at
    steps: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, inner in steps:
        yield from _places(inner, (*at, step))
