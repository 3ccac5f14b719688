"""Does an answer say what the recorded one said?

Values are compared, not shapes. What differs from run to run (tokens, secrets, ids, times, file names) is
recognised by its form or field, must have that form on both sides, and is bound: where the recording shows
the same value twice, the answers must too, and where it shows two values, never one (times excepted: two
things may happen in one millisecond).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polaris_standin.contract.recording import Answer

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_VOLATILE = {
    "uuid": _UUID,
    "instant": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z",
    "etag": r'(?<=W/")[0-9a-f]{64}(?=")',
    "millis": r"(?<![\d])1[0-9]{12}(?![\d])",
    "s3-request": r"(?<=Request ID: )[^,)]+(?:, Extended Request ID: [^)]+)?",
}
_PARTS = re.compile("|".join(f"(?P<{name.replace('-', '_')}>{form})" for name, form in _VOLATILE.items()))
_PLACEHOLDER = re.compile(r"<[^<>]+>")
_CLIENT_ID = re.compile(r"[0-9a-f]{16}")
_REQUEST_ID = re.compile(rf"{_UUID}_\d{{19}}")
_ROLES = re.compile(r"(?<=')\[[^\]']*\](?=')")

_TIME_FIELDS = {"createTimestamp", "lastUpdateTimestamp", "last-updated-ms", "timestamp-ms"}
_UNORDERED_FIELDS = {"allowedLocations", "endpoints"}
_CLIENT_ID_FIELDS = {"clientId", "client_id"}
_NUMBER_FIELDS = {"principalId"}
_NAMING = {"uuid", "etag", "secret", "client id"}
_EARLIEST_MS = 1_600_000_000_000
_HEADERS = (
    "content-type",
    "content-encoding",
    "content-length",
    "www-authenticate",
    "cache-control",
    "etag",
    "x-request-id",
)


@dataclass
class Bindings:
    """Recorded values and what they are in this run."""

    values: dict[tuple[str, str], str] = field(default_factory=dict)

    def bind(self, kind: str, recorded: str, actual: str) -> str | None:
        """Remember a pair; what speaks against it, or None."""
        known = self.values.setdefault((kind, recorded), actual)
        if known != actual:
            return f"{kind} {recorded!r} was {known!r} and is now {actual!r}"
        # One time or one request id may stand for several; a name may not.
        if kind in _NAMING or kind == "number":
            for (other_kind, other), value in self.values.items():
                if other_kind == kind and value == actual and other != recorded:
                    return f"{actual!r} stands for two of kind {kind}: {other!r} and {recorded!r}"
        return None

    def translate(self, text: str) -> str:
        """A recorded text of a request with the values of this run."""
        for (kind, recorded), actual in self.values.items():
            if kind in _NAMING:
                text = text.replace(recorded, actual)
        return text

    def copy(self) -> Bindings:
        """Bindings to try out."""
        return Bindings(dict(self.values))


def differences(recorded: Answer, actual: Answer, bindings: Bindings, *, few_headers: bool = False) -> list[str]:
    """What is different, one sentence each; an empty list is a match.

    Args:
        recorded: As it was.
        actual: As it is.
        bindings: Taken further only by a match.
        few_headers: The recording left headers out; only those that it has are compared.
    """
    trial = bindings.copy()
    found = [] if recorded.status == actual.status else [f"status {recorded.status} → {actual.status}"]
    found += _headers(recorded, actual, trial, few_headers=few_headers)
    found += _compare("body", "", recorded.body, actual.body, trial)
    if recorded.jwt is not None or actual.jwt is not None:
        # Polls were recorded without the claims of their tokens.
        found += [] if few_headers else _token(recorded.jwt, actual.jwt, trial)
    if not found:
        # The end of a session is the same within one answer; another answer may hold another session.
        bindings.values = {key: value for key, value in trial.values.items() if key[0] != "millis"}
    return found


def is_volatile(name: str, value: Any) -> bool:
    """Whether a leaf (its field name and recorded value) is compared by its form only."""
    if name in _TIME_FIELDS or name in _NUMBER_FIELDS or name in ("iat", "exp"):
        return bool(value != 0)
    if not isinstance(value, str):
        return False
    is_client_id = name in _CLIENT_ID_FIELDS and _CLIENT_ID.fullmatch(value) is not None
    return is_client_id or bool(_PLACEHOLDER.fullmatch(value) or _PARTS.fullmatch(value))


def _headers(recorded: Answer, actual: Answer, bindings: Bindings, *, few_headers: bool) -> Iterator[str]:
    for name in _HEADERS:
        old, new = recorded.headers.get(name), actual.headers.get(name)
        if (old is None and few_headers) or (name == "content-length" and _length_varies(recorded, actual)):
            continue
        if old is None or new is None:
            if old != new:
                yield f"header {name}: {old!r} → {new!r}"
        elif name == "x-request-id" and _REQUEST_ID.fullmatch(old):
            if not _REQUEST_ID.fullmatch(new):
                yield f"header {name}: {new!r} is no request id"
        else:
            yield from _text(f"header {name}", old, new, bindings)


def _length_varies(recorded: Answer, actual: Answer) -> bool:
    """Compressed bodies and bodies with values of this run have a length of their own."""
    if recorded.headers.get("content-encoding") == "gzip":
        return "content-length" in actual.headers
    return bool(recorded.body != actual.body)


def _compare(path: str, name: str, old: Any, new: Any, bindings: Bindings) -> Iterator[str]:
    if type(old) is not type(new):
        yield f"{path}: {old!r} → {new!r}"
    elif isinstance(old, dict):
        for key in sorted(old.keys() | new.keys()):
            if key not in old or key not in new:
                yield f"{path}.{key}: {'new' if key in new else 'missing'}"
            else:
                yield from _compare(f"{path}.{key}", key, old[key], new[key], bindings)
    elif isinstance(old, list):
        if name in _UNORDERED_FIELDS:
            old, new = sorted(old, key=repr), sorted(new, key=repr)
        if len(old) != len(new):
            yield f"{path}: {len(old)} items → {len(new)}"
        for index, (one, other) in enumerate(zip(old, new, strict=False)):
            yield from _compare(f"{path}[{index}]", name, one, other, bindings)
    else:
        yield from _leaf(path, name, old, new, bindings)


def _leaf(path: str, name: str, old: Any, new: Any, bindings: Bindings) -> Iterator[str]:
    if name in _TIME_FIELDS and old != 0:
        if new < _EARLIEST_MS:
            yield f"{path}: {new!r} is no time in milliseconds"
        else:
            yield from _bound(path, bindings.bind("time", str(old), str(new)))
    elif name in _NUMBER_FIELDS and old != 0:
        if new < 1:
            yield f"{path}: {new!r} is no id"
        else:
            yield from _bound(path, bindings.bind("number", str(old), str(new)))
    elif name in _CLIENT_ID_FIELDS and _CLIENT_ID.fullmatch(old):
        if _CLIENT_ID.fullmatch(new):
            yield from _bound(path, bindings.bind("client id", old, new))
        else:
            yield f"{path}: {new!r} is no client id"
    elif isinstance(old, str):
        yield from _text(path, old, new, bindings)
    elif old != new:
        yield f"{path}: {old!r} → {new!r}"


def _text(path: str, old: str, new: str, bindings: Bindings) -> Iterator[str]:
    """Compare texts part by part: fixed parts are equal, volatile parts of one form and bound."""
    if _PLACEHOLDER.fullmatch(old):
        # A token of each kind and a secret of each name; access tokens differ at every issue.
        if not new or (_PLACEHOLDER.fullmatch(new) and new != old):
            yield f"{path}: {new!r} for {old}"
        elif old.startswith("<client-secret:"):
            yield from _bound(path, bindings.bind("secret", old, new))
        return
    old, new = _ROLES.sub(_sorted_roles, old), _ROLES.sub(_sorted_roles, new)
    old_parts, new_parts = list(_PARTS.finditer(old)), list(_PARTS.finditer(new))
    same_forms = [part.lastgroup for part in old_parts] == [part.lastgroup for part in new_parts]
    if not same_forms or _PARTS.sub("\0", old) != _PARTS.sub("\0", new):
        yield f"{path}: {old!r} → {new!r}"
        return
    for one, other in zip(old_parts, new_parts, strict=True):
        yield from _bound(path, bindings.bind(str(one.lastgroup), one.group(), other.group()))


def _sorted_roles(found: re.Match[str]) -> str:
    """Role names in a 403 text come from a hash set."""
    return f"[{', '.join(sorted(found.group()[1:-1].split(', ')))}]"


def _token(old: dict[str, Any] | None, new: dict[str, Any] | None, bindings: Bindings) -> Iterator[str]:
    if old is None or new is None:
        yield f"token: {old!r} → {new!r}"
        return
    old_claims, new_claims = dict(old["claims"]), dict(new["claims"])
    lives = [claims.pop("exp", 0) - claims.pop("iat", 0) for claims in (old_claims, new_claims)]
    if lives[0] != lives[1]:
        yield f"token: lives {lives[0]} s → {lives[1]} s"
    yield from _compare("token.header", "", old["header"], new["header"], bindings)
    yield from _compare("token.claims", "", old_claims, new_claims, bindings)


def _bound(path: str, fault: str | None) -> Iterator[str]:
    if fault is not None:
        yield f"{path}: {fault}"
