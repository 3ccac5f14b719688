"""Which URLs lineage may be posted to."""

from __future__ import annotations

from floe_core.http.urls import split


def checked(url: str) -> str:
    """`url` without white space around it.

    Raises:
        ValueError: It is no http or https URL with a host, it carries credentials, or a path cannot be appended to
            it; never quotes it.
    """
    stripped = url.strip()
    parts = split(stripped)
    if parts.query or parts.fragment:
        raise ValueError("the URL must end with its path")
    return stripped
