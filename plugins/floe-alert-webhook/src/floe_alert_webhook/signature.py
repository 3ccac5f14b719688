"""The signature of generic alerts; receivers written in Python use `verify` as it is.

The header `X-Floe-Signature` holds `t=<seconds since 1970>,v1=<hexadecimals>`. `v1` is the HMAC-SHA256, keyed with the
shared secret, of the time's digits, a dot, and the request's body as it arrived. A receiver accepts a request whose
`v1` is right and whose time is near its own, so that a recorded one cannot be sent again later. A header may hold more
than one `v1`, while a secret is replaced. Only the standard library is used.

Within the tolerance a recorded request verifies again, also at another receiver with the same secret. A receiver tells
repetitions apart by what is in the body; other headers are not signed.
"""

from __future__ import annotations

import hashlib
import hmac
import re

HEADER = "X-Floe-Signature"
TOLERANCE_S = 300
_TIME = re.compile(r"[0-9]{1,12}\Z")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_MAX_HEADER = 1000


class SignatureError(ValueError):
    """A request is not to be trusted; the text says why."""


def sign(secret: str, body: bytes, at: int) -> str:
    """The header's value for `body`, sent at `at` (seconds since 1970)."""
    return f"t={at},v1={_digest(secret, body, str(at))}"


def verify(secret: str, body: bytes, header: str, *, now: float, tolerance_s: float = TOLERANCE_S) -> None:
    """Do nothing where `body` was signed with `secret`, at a time near `now`.

    Args:
        secret: The shared secret.
        body: The request's body, byte by byte as it arrived.
        header: The value of `X-Floe-Signature`; empty where there is none.
        now: The receiver's `time.time()`.
        tolerance_s: How far the two clocks, and a request on its way, may be apart.

    Raises:
        SignatureError: It was not, or the header cannot be read.
    """
    if not secret:
        raise SignatureError("there is no secret to verify with")
    at, digests = _parsed(header)
    expected = _digest(secret, body, at)
    if not any(hmac.compare_digest(expected, digest) for digest in digests):
        raise SignatureError("the signature does not fit the body and the secret")
    if abs(now - int(at)) > tolerance_s:
        raise SignatureError(f"the time of signing is more than {tolerance_s:g} s away")


def _digest(secret: str, body: bytes, at: str) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def _parsed(header: str) -> tuple[str, list[str]]:
    if len(header) > _MAX_HEADER:
        raise SignatureError(f"{HEADER} is too long")
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t" and _TIME.match(value)]
    digests = [value for name, _, value in pairs if name == "v1" and _DIGEST.match(value)]
    if len(times) != 1 or not digests:
        raise SignatureError(f"{HEADER} is missing, or not of the form t=<seconds>,v1=<digest>")
    return times[0], digests
