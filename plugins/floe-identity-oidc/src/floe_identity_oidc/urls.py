"""Which URLs an issuer may have: what is not encrypted stays on this machine."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

WELL_KNOWN = "/.well-known/openid-configuration"


def check_issuer(url: str) -> str:
    """`url`, which can name an issuer.

    Raises:
        ValueError: It cannot; says why.
    """
    parts = _split(url)
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
    parts = _split(url)
    if parts.scheme != "https" and not (is_loopback(url) and is_loopback(issuer)):
        raise ValueError("jwks_uri is no https URL")
    return url


def is_loopback(url: str) -> bool:
    """Whether `url` leads to this machine by its name alone: `localhost`, or a loopback address."""
    import ipaddress

    host = _split(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult:
    # Blanks and control characters: urlsplit drops some of them, so two readers could see two hosts.
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("a URL has no blanks")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an http or https URL with a host is needed")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL here carries no user and no password")
    parts.port  # noqa: B018 - raises ValueError for a port that is none
    return parts
