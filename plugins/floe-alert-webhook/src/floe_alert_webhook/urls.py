"""Which URLs may be configured, and how one is named in messages."""

from __future__ import annotations

from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def checked(url: str, *, allow_http: bool, base: bool) -> str:
    """`url` without white space around it.

    Args:
        url: What somebody configured.
        allow_http: Whether it may lead to another machine without encryption.
        base: Whether paths are appended to it, so that it has to end with its own.

    Raises:
        ValueError: It cannot be posted to: no http or https URL with a host, with credentials in it, or without
            encryption to another machine. Never quotes it.
    """
    stripped = url.strip()
    try:
        parts = urlsplit(stripped)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or any(one.isspace() for one in stripped):
        raise ValueError("the URL must begin with https:// or http:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the URL must not carry credentials; give token by reference")
    if parts.scheme == "http" and host not in LOOPBACK and not allow_http:
        raise ValueError("http:// leads to another machine without encryption; use https, or set allow_http")
    if base and ("?" in stripped or "#" in stripped):
        raise ValueError("the base URL of an Alertmanager must end with its path")
    return stripped.rstrip("/") if base else stripped


def is_loopback(url: str) -> bool:
    """Whether `url` stays on this machine."""
    return urlsplit(url).hostname in LOOPBACK


def place(url: str) -> str:
    """Scheme, host and port of `url`: the rest may be a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
