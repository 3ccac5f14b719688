"""Parts of the platform that run elsewhere: a catalog, and the object store that it knows, as the environment says."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from floe_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

MANAGEMENT_PORT = 8182
URL = re.compile(r"(https?://(?:\[[0-9a-fA-F:]+\]|[^/:\s@\[\]]+))(?::\d{1,5})?(?:/\S*)?")


@dataclass(frozen=True)
class Outside:
    """What is not started here.

    Attributes:
        urls: URL by endpoint name; empty when everything is local.
        secrets: Values by name that replace the random ones of a start.
    """

    urls: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def services(self) -> set[str]:
        """The services, as named in `services.toml`, that are not to be started."""
        return {name for name in ("polaris", "s3") if name in self.urls}

    def digest(self) -> str:
        """Changes when any URL or secret does."""
        parts = sorted({**self.urls, **self.secrets}.items())
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def read(environ: Mapping[str, str], own: Mapping[str, str]) -> Outside:
    """What the environment says: `FLOE_POLARIS_URL`, and with it `AWS_ENDPOINT_URL_S3`.

    Child processes are told the platform's own endpoints by the same variables, so those are not taken for remote.

    Args:
        environ: The environment.
        own: The URLs that the running platform serves itself, by endpoint name.

    Raises:
        UsageError: A URL is none, or a remote object store comes without its keys.
    """
    url = environ.get("FLOE_POLARIS_URL", "").rstrip("/")
    if not url or url == own.get("polaris"):
        return Outside()
    host = _host(url, "FLOE_POLARIS_URL")
    management = environ.get("FLOE_POLARIS_MANAGEMENT_URL", f"{host}:{MANAGEMENT_PORT}").rstrip("/")
    _host(management, "FLOE_POLARIS_MANAGEMENT_URL")
    found = Outside(
        {"polaris": url, "polaris-management": management},
        {
            "polaris-client-id": environ.get("POLARIS_CLIENT_ID", "root"),
            "polaris-client-secret": environ.get("POLARIS_CLIENT_SECRET", ""),
        },
    )
    store = environ.get("AWS_ENDPOINT_URL_S3", "").rstrip("/")
    if store and store != own.get("s3"):
        _add_store(found, store, environ)
    return found


def _add_store(found: Outside, url: str, environ: Mapping[str, str]) -> None:
    _host(url, "AWS_ENDPOINT_URL_S3")
    keys = {"s3-access-key": "AWS_ACCESS_KEY_ID", "s3-secret-key": "AWS_SECRET_ACCESS_KEY"}
    missing = [variable for variable in keys.values() if not environ.get(variable)]
    if missing:
        raise UsageError(
            "the remote object store comes without its keys",
            where=f"AWS_ENDPOINT_URL_S3={url}",
            why=f"{' and '.join(missing)} not set",
            remedy="set them, or unset AWS_ENDPOINT_URL_S3 to have a store started here",
        )
    found.urls["s3"] = url
    found.secrets.update({name: environ[variable] for name, variable in keys.items()})


def _host(url: str, variable: str) -> str:
    """Scheme and host of `url`, without port and path."""
    match = URL.fullmatch(url)
    if match is None:
        raise UsageError(
            "a URL cannot be read",
            where=f"{variable}={url}",
            why="it has no scheme and host, or a user name in it",
            remedy="give it as http://host:port",
        )
    return match[1]
