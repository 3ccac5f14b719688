"""What every error code means: one entry a code of `floe_core.spec.problems`, which a test holds.

The words are in `catalogue.toml` beside this module; `floe explain` prints them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from floe_core.errors import UsageError


@dataclass(frozen=True)
class Entry:
    """One code.

    Attributes:
        code: For example `FLOE-E203`.
        title: What is wrong, in a few words.
        cause: How it comes about.
        cure: What to do.
        example: What is wrong and what is right, as lines of a file or of a shell.
    """

    code: str
    title: str
    cause: str
    cure: str
    example: str


@cache
def catalogue() -> tuple[Entry, ...]:
    """Every code, sorted."""
    text = files("floe_core.spec").joinpath("catalogue.toml").read_text(encoding="utf-8")
    entries = (
        Entry(code, **{name: words.strip() for name, words in said.items()})
        for code, said in tomllib.loads(text).items()
    )
    return tuple(sorted(entries, key=lambda entry: entry.code))


def find(code: str) -> Entry:
    """The entry of a code, however it is written: `FLOE-E203`, `floe-e203`, `E203`, `203`.

    Raises:
        UsageError: There is no such code; names the nearest.
    """
    known = {entry.code: entry for entry in catalogue()}
    wanted = code.strip().upper().removeprefix("FLOE-").removeprefix("E")
    found = known.get(f"FLOE-E{wanted}")
    if found is not None:
        return found
    near = _nearest(wanted, known)
    raise UsageError(
        f"there is no error code {code[:40]!r}",
        why=f"the nearest is {near}",
        remedy=f"floe explain {near}, or floe explain for all of them",
    )


def _nearest(wanted: str, known: dict[str, Entry]) -> str:
    """The code nearest by number; by likeness where it is none."""
    if wanted.isascii() and wanted.isdigit():
        number = int(wanted[:9])
        return min(known, key=lambda code: abs(int(code.removeprefix("FLOE-E")) - number))
    from difflib import get_close_matches

    return (get_close_matches(f"FLOE-E{wanted[:20]}", known, n=1, cutoff=0.0))[0]
