"""Finds credentials that somebody wrote down where only a reference belongs.

Two ways to be found: a field whose name says that it holds a secret, and a value that looks like one. A message
names the place and never repeats the value.
"""

from __future__ import annotations

import functools
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
    ("a URL with a password in it", re.compile(r"://[^/\s:@]{0,256}:[^/\s@{]{1,512}@")),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY")),
    ("an access key id", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a token of a code host", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|glpat-[A-Za-z0-9_-]{20,})")),
    ("a token of a package index", re.compile(r"\b(?:pypi-AgE[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{36})")),
    (
        "a token of a chat",
        re.compile(r"\bxox[abeoprs]-[0-9][A-Za-z0-9-]{9,}|hooks\.slack\.com/services/[A-Z0-9]+/[A-Z0-9]+/\w+"),
    ),
    ("an API key", re.compile(r"\b(?:AIza[A-Za-z0-9_-]{35}|[sr]k_live_[A-Za-z0-9]{16,})")),
    (
        "a connection string with a password in it",
        re.compile(r"\b(?:password|passwd|pwd|accountkey|sharedaccesskey)\s*=\s*[^\s;{$]", re.IGNORECASE),
    ),
    ("a signed token", re.compile(r"(?<![\w-])eyJ[A-Za-z0-9_-]{10,1000}\.[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{10,}")),
)

# One look decides for nearly every value that none of the shapes can be in it.
_ANY = re.compile("|".join(f"(?i:{shape.pattern})" for _, shape in _SHAPES))
_SHORTEST = 5
_REFERENCE = frozenset({"env", "file", "secret"})
MAX_NAME = 80
BY_REFERENCE = "write where the secret lies: {env: NAME}, {file: PATH} or {secret: NAME}"

Path = tuple[str | int, ...]


@functools.lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Whether a field of that name holds a secret, by its words: `oauth2ClientSecret` does, `token_url` does not."""
    folded = name.lower().replace("_", "").replace("-", "")
    return folded.endswith(_WORDS) and not _INNOCENT.search(folded)


def shape_of(text: str) -> str:
    """What kind of credential `text` looks like; empty when it looks like none."""
    if len(text) < _SHORTEST or _ANY.search(text) is None:
        return ""
    return next((title for title, shape in _SHAPES if shape.search(text)), "")


@functools.lru_cache(maxsize=1024)
def _kind_of_name(name: str) -> str:
    return shape_of(name)


def safe_name(name: str) -> str:
    """A key as messages may show it: short, and not at all when it looks like a credential."""
    if _kind_of_name(name):
        return "…"
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"


def find(node: Node, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """The places below `node` that hold a literal credential, each with what it is."""
    waiting: list[tuple[Node, Path]] = [(node, path)]
    while waiting:
        here, place = waiting.pop()
        if isinstance(here.value, dict):
            yield from _in_mapping(here.value, place, waiting)
        elif isinstance(here.value, list):
            waiting += [(child, (*place, index)) for index, child in enumerate(here.value)]
        elif isinstance(here.value, str) and (title := shape_of(here.value)):
            yield place, f"it looks like {title}"


def _in_mapping(children: dict[str, Node], path: Path, waiting: list[tuple[Node, Path]]) -> Iterator[tuple[Path, str]]:
    reference = _REFERENCE.issuperset(children)
    for name, child in children.items():
        below = (*path, name)
        if title := _kind_of_name(name):
            yield path, f"a name in it looks like {title}"
        elif not reference and is_secret_name(name) and _is_written(child):
            yield below, f"{safe_name(name)} holds a value"
        else:
            waiting.append((child, below))


def _is_written(node: Node) -> bool:
    # A truth value is a switch, for example `require_token: true`.
    return isinstance(node.value, str | int | float) and not isinstance(node.value, bool) and node.value != ""
