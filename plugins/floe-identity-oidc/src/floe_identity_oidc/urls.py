"""Which URLs an issuer may have: what is not encrypted stays on this machine."""

from __future__ import annotations

from floe_core.http.urls import is_loopback, split

WELL_KNOWN = "/.well-known/openid-configuration"


def check_issuer(url: str) -> str:
    """`url`, which can name an issuer.

    Raises:
        ValueError: It cannot; says why.
    """
    parts = split(url)
    if parts.scheme != "https" and not is_loopback(url):
        raise ValueError("an issuer has an https URL, or an http one on a loopback address")
    if parts.query or parts.fragment:
        raise ValueError("an issuer's URL has no query and no fragment")
    return url


def check_keys_url(url: str, issuer: str) -> str:
    """`url`, from which the keys of `issuer` may be fetched; only an issuer on this machine may send to plain http.

    Raises:
        ValueError: They may not; says why.
    """
    parts = split(url)
    if parts.scheme != "https" and not (is_loopback(url) and is_loopback(issuer)):
        raise ValueError("jwks_uri is no https URL")
    return url
