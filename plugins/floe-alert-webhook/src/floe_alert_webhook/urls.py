"""Which URLs alerts may be posted to."""

from __future__ import annotations

from floe_core.http.urls import is_loopback, split


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
    parts = split(stripped)
    if parts.scheme == "http" and not is_loopback(stripped) and not allow_http:
        raise ValueError("http:// leads to another machine without encryption; use https, or set allow_http")
    if base and ("?" in stripped or "#" in stripped):
        raise ValueError("the base URL of an Alertmanager must end with its path")
    return stripped.rstrip("/") if base else stripped
