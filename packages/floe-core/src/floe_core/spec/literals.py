"""Finds credentials that somebody wrote down where only a reference belongs.

Two ways to be found: a field whose name says that it holds a secret, and a value that looks like one. A message
names the place and never repeats the value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.spec.yamltree import Node

_WORDS = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "credential",
    "credentials",
    "connectionstring",
)
# Fields whose names hold such a word and whose values are no secrets.
_INNOCENT = re.compile(r"(uri|url|endpoint|path|name|ref|type|ttl|timeout|seconds|margin)$")
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a URL with a password in it", re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@{]+@", re.IGNORECASE)),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")),
    ("an access key id", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a token of a code host", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|glpat-[A-Za-z0-9_-]{20,})")),
    ("a signed token", re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")),
)

Path = tuple[str | int, ...]


def is_secret_name(name: str) -> bool:
    """Whether a field of that name holds a secret, by its words: `oauth2ClientSecret` does, `token_url` does not."""
    folded = name.lower().replace("_", "").replace("-", "")
    return folded.endswith(_WORDS) and not _INNOCENT.search(folded)


def find(node: Node, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The places below `node` that hold a literal credential, each with what it is."""
    if isinstance(node.value, dict):
        for name, child in node.value.items():
            below = (*path, name)
            if is_secret_name(name) and isinstance(child.value, str | int | float) and child.value != "":
                yield below, f"{name} holds a value"
            else:
                yield from find(child, below)
    elif isinstance(node.value, list):
        for index, child in enumerate(node.value):
            yield from find(child, (*path, index))
    elif isinstance(node.value, str):
        for title, shape in _SHAPES:
            if shape.search(node.value):
                yield path, f"it looks like {title}"
                return
