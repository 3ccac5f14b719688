"""Credentials for image registries: what `docker login` and `crane auth login` left, and the token exchange.

Contract: the Docker Registry HTTP API's token authentication (a 401 names realm, service and scope; the realm
answers `{"token": …}` or `{"access_token": …}`).
"""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import CredentialsRefusedError, WrongStateError

from floe_ops.clients import untrusted

if TYPE_CHECKING:
    import requests

_DOCKER_HUB = {"registry-1.docker.io": "https://index.docker.io/v1/"}
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


def stored_credentials(host: str) -> tuple[str, str] | None:
    """User and password that the Docker configuration holds for `host`, or None.

    Credential helpers are not asked: the workflow logs in with a token that is stored in the file.

    Raises:
        WrongStateError: the file is there and cannot be read as JSON.
    """
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    path = folder / "config.json"
    if not path.is_file():
        return None
    try:
        entries = untrusted.document(path.read_bytes()).get("auths", {})
        entry = entries.get(_DOCKER_HUB.get(host, host)) or {}
        user, _, password = base64.b64decode(entry.get("auth", ""), validate=True).decode().partition(":")
    except untrusted.STUMBLES:
        raise WrongStateError(
            "cannot read the registry credentials", where=str(path), why="not as docker login writes it",
            remedy=f"log in to {host} again",
        ) from None  # fmt: skip
    return (user, password) if user and password else None


def authorization(
    session: requests.Session, challenge: str, credentials: tuple[str, str] | None, *, host: str, timeout: float
) -> str:
    """The `Authorization` header that answers a 401's `WWW-Authenticate` header.

    Raises:
        CredentialsRefusedError: no way to answer, or the token service refused.
    """
    scheme, _, rest = challenge.partition(" ")
    if scheme.lower() == "basic" and credentials:
        return "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
    fields = dict(_PARAMETER.findall(rest))
    if scheme.lower() != "bearer" or "realm" not in fields:
        raise _refused(host, credentials, "it wants a login")
    query = {key: fields[key] for key in ("service", "scope") if key in fields}
    answer = session.get(fields["realm"], params=query, auth=credentials, timeout=timeout, stream=True)
    if not answer.ok:
        raise _refused(host, credentials, f"its token service answered {answer.status_code}")
    try:
        body = untrusted.document(untrusted.body(answer))
        token = body.get("token") or body.get("access_token")
    except (ValueError, AttributeError):
        token = None
    if not isinstance(token, str):
        raise _refused(host, credentials, "its token service gave no token")
    return f"Bearer {token}"


def _refused(host: str, credentials: tuple[str, str] | None, why: str) -> CredentialsRefusedError:
    who = f"user {credentials[0]}" if credentials else "no user"
    return CredentialsRefusedError(
        f"registry {host} refused {who}", where=host, why=why, remedy=f"log in to {host} with `crane auth login`"
    )
