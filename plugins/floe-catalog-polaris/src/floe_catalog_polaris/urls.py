"""A server's address as people write it, parsed with a readable complaint."""

from __future__ import annotations

import ipaddress
from urllib.parse import quote, urlsplit

from floe_core.errors import UsageError

API_PORT = 8181
MANAGEMENT_PORT = 8182
ICEBERG_PATH = "/api/catalog"


def server_url(text: str, *, name: str = "FLOE_POLARIS_URL") -> str:
    """The base URL `scheme://host[:port][/prefix]` of a Polaris server, without a trailing slash.

    Takes the Iceberg URI of the same server too (`…/api/catalog`), since manifests hold that one.

    Raises:
        UsageError: No http(s) URL with a host and a port between 1 and 65535, or one that carries a password.
    """
    cleaned = text.strip()
    try:
        parts = urlsplit(cleaned)
        host, port = parts.hostname, parts.port
        if host and ":" in host:
            ipaddress.ip_address(host.partition("%")[0])
    except ValueError as error:
        raise _bad_url(name, cleaned, str(error)) from error
    if parts.scheme not in {"http", "https"}:
        raise _bad_url(name, cleaned, "it does not start with http:// or https://")
    if not host or any(char.isspace() or not char.isprintable() for char in cleaned):
        raise _bad_url(name, cleaned, "it has no host" if not host else "it holds white space")
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            f"{name} must not carry a user or a password",
            where=name,
            why="an address ends up in logs",
            remedy="give POLARIS_CLIENT_ID and POLARIS_CLIENT_SECRET instead",
        )
    if port == 0:
        raise _bad_url(name, cleaned, "port 0 names no server")
    if parts.query or parts.fragment:
        raise _bad_url(name, cleaned, "a server's address has no query and no fragment")
    path = parts.path.rstrip("/").removesuffix(ICEBERG_PATH).rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def default_management_url(url: str) -> str | None:
    """The management URL that belongs to `url` by Polaris's own ports: 8181 has 8182 beside it.

    Returns:
        None for any other port: behind a gateway or a forward the second port cannot be guessed.
    """
    parts = urlsplit(url)
    if parts.port != API_PORT:
        return None
    return f"{parts.scheme}://{parts.netloc.rpartition(':')[0]}:{MANAGEMENT_PORT}"


def is_loopback(url: str) -> bool:
    """Whether `url` names this machine, so that no proxy may stand between."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def segment(name: str) -> str:
    """`name` as one segment of a path, whatever characters it holds."""
    return quote(name, safe="")


def _bad_url(name: str, text: str, why: str) -> UsageError:
    shown = text if "@" not in text else "(hidden, it holds an @)"
    return UsageError(
        f"{name} is no address of a server: {shown!r}",
        where=name,
        why=why,
        remedy="write it like http://127.0.0.1:8181",
    )
