"""Which URLs may be configured, and how one is named in messages."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def split(url: str) -> SplitResult:
    """The parts of an http or https URL that names a host and no credentials.

    Raises:
        ValueError: It is none; says why and never quotes it, as it may be a secret.
    """
    # urlsplit drops some of these characters, so two readers could see two hosts.
    if any(one.isspace() or not one.isprintable() for one in url):
        raise ValueError("a URL holds no blanks")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("the URL must begin with https:// or http:// and name a host, and a port only up to 65535")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the URL must not carry credentials, neither a user nor a password")
    return parts


def is_loopback(url: str) -> bool:
    """Whether `url` leads to this machine by its name alone: `localhost`, or a loopback address."""
    import ipaddress

    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def place(url: str) -> str:
    """Scheme, host and port of `url`: the rest may be a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
