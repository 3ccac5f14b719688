"""The ways in which a secret can lie in a file: plain, in Base64 wherever that begins, in hex, escaped for a URL."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Mapping

SHORTEST = 12
"""In characters: a shorter value could stand somewhere by chance, and is no canary."""


@dataclass(frozen=True)
class Form:
    """One way of one secret: the secret's name, the way's, and the bytes to look for."""

    secret: str
    way: str
    needle: bytes

    def __repr__(self) -> str:
        return f"Form({self.secret!r}, {self.way!r})"


def of(secrets: Mapping[str, str]) -> tuple[Form, ...]:
    """Every form of every secret, each needle once, the plain ones first; values that are no canary are left out."""
    forms: dict[bytes, Form] = {}
    for name, value in secrets.items():
        if len(value) < SHORTEST:
            continue
        for way, needle in _ways(value):
            forms.setdefault(needle, Form(name, way, needle))
    return tuple(forms.values())


def _ways(value: str) -> list[tuple[str, bytes]]:
    raw = value.encode()
    ways = [
        ("plain", raw),
        ("URL-encoded", quote(value, safe="").encode()),
        ("URL-encoded", quote_plus(value).encode()),
    ]
    ways += [("hex", raw.hex().encode()), ("hex", raw.hex().upper().encode())]
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            ways.append(("Base64", _base64(raw, offset, encode(bytes(offset) + raw))))
    return ways


def _base64(raw: bytes, offset: int, encoded: bytes) -> bytes:
    """What of an encoding depends on the secret alone, where `offset` bytes of something else stand before it.

    Three bytes become four characters, of six bits each: characters that hold bits of a neighbour go.
    """
    first = -(-offset * 8 // 6)
    last = (offset + len(raw)) * 8 // 6
    return encoded[first:last]
