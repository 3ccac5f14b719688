"""Which URLs may be configured, and how one is named in messages."""

from __future__ import annotations

from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def checked(url: str) -> str:
    """`url` without white space around it.

    Raises:
        ValueError: It is no http or https URL with a host, or it carries credentials; never quotes it.
    """
    stripped = url.strip()
    try:
        parts = urlsplit(stripped)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("the URL must begin with http:// or https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the URL must not carry credentials; give api_key by reference")
    if parts.query or parts.fragment:
        raise ValueError("the URL must end with its path")
    return stripped


def is_loopback(url: str) -> bool:
    """Whether `url` stays on this machine."""
    return urlsplit(url).hostname in LOOPBACK


def place(url: str) -> str:
    """Scheme, host and port of `url`; nothing that could be a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
