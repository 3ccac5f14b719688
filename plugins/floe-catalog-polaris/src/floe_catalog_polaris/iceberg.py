"""A PyIceberg catalog over a Polaris server: same token client, bounded waits, no secret among its properties.

The `X-Iceberg-Access-Delegation` header is sent empty: stores without temporary credentials (`stsUnavailable`) answer
any other value with 400 or 403, and the clients bring their own S3 keys.
"""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.catalog.rest.auth import AuthManager
from requests.adapters import HTTPAdapter

from floe_catalog_polaris.auth import SCOPE, Credentials, TokenSource
from floe_catalog_polaris.transport import Timeouts, Transport
from floe_catalog_polaris.urls import ICEBERG_PATH, is_loopback, server_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyiceberg.catalog import Catalog
    from pyiceberg.io import FileIO
    from requests import PreparedRequest, Response, Session

ICEBERG_LIMITS = Timeouts(read=30.0)
"""A commit makes the server write to the object store before it answers."""
NOTHING: Mapping[str, str] = MappingProxyType({})
ENDPOINT = "s3.endpoint"
AUTH_CLASS = f"{__name__}.PolarisAuth"


class PolarisAuth(AuthManager):
    """Tokens of the project's own client, renewed before they expire."""

    def __init__(self, tokens: TokenSource, limit_s: float) -> None:
        self._tokens = tokens
        self._limit_s = limit_s

    def auth_header(self) -> str | None:
        """The Authorization header's value."""
        return f"Bearer {self._tokens.get(deadline=time.monotonic() + self._limit_s)}"


class _BoundedAdapter(HTTPAdapter):
    """PyIceberg sets no timeout on its requests; this adds one."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._limit = (timeouts.connect, timeouts.read)
        super().__init__()

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        """Send with the time limit where the caller set none."""
        if options.get("timeout") is None:
            options["timeout"] = self._limit
        return super().send(request, *args, **options)


class PolarisRestCatalog(RestCatalog):
    """PyIceberg's REST catalog whose requests end in bounded time."""

    def __init__(self, name: str, timeouts: Timeouts, **properties: Any) -> None:
        self._timeouts = timeouts
        super().__init__(name, **properties)

    def _load_file_io(self, properties: Mapping[str, str] = NOTHING, location: str | None = None) -> FileIO:
        """The client's own address of the store wins: a server in a cluster tells a name that only this resolves."""
        own = {name: self.properties[name] for name in (ENDPOINT,) if name in self.properties}
        return super()._load_file_io({**properties, **own}, location)

    def _create_session(self) -> Session:
        session = super()._create_session()
        session.trust_env = not is_loopback(self.uri)
        for scheme in ("http://", "https://"):
            session.mount(scheme, _BoundedAdapter(self._timeouts))
        return session


def s3_properties(
    *, endpoint: str, access_key: str, secret_key: SecretStr | str, region: str = "us-east-1"
) -> dict[str, str]:
    """The FileIO properties of an S3 store with path-style addresses."""
    secret = secret_key.get_secret_value() if isinstance(secret_key, SecretStr) else secret_key
    return {
        ENDPOINT: endpoint,
        "s3.access-key-id": access_key,
        "s3.secret-access-key": secret,
        "s3.region": region,
        "s3.force-virtual-addressing": "false",
    }


def open_catalog(  # noqa: PLR0913 - keyword-only settings of a connection
    url: str,
    catalog: str,
    client_id: str,
    client_secret: SecretStr | str,
    *,
    fileio: Mapping[str, str] | None = None,
    realm: str | None = None,
    scope: str = SCOPE,
    timeouts: Timeouts | None = None,
) -> Catalog:
    """A PyIceberg catalog that is signed in.

    Args:
        url: The Polaris server, with or without `/api/catalog`.
        catalog: The Polaris catalog's name, in Iceberg's words the warehouse.
        client_id: The principal's client id.
        client_secret: Its secret.
        fileio: FileIO properties, for example from `s3_properties`.
        realm: The realm, where the server wants one named.
        scope: The OAuth scope; Polaris takes `PRINCIPAL_ROLE:…` only.
        timeouts: Bounds in seconds.

    Raises:
        CredentialsRefusedError: The server refused the credentials.
        PolarisUnreachableError: No answer came.
        pyiceberg.exceptions.RESTError: The server has no such warehouse, or refused.
    """
    base = server_url(url)
    limits = timeouts or ICEBERG_LIMITS
    secret = client_secret if isinstance(client_secret, SecretStr) else SecretStr(client_secret)
    tokens = TokenSource(Transport(base, limits, realm), Credentials(client_id, secret, scope))
    properties: dict[str, Any] = {
        "uri": f"{base}{ICEBERG_PATH}",
        "warehouse": catalog,
        "header.X-Iceberg-Access-Delegation": "",
        "auth": {
            "type": "custom",
            "impl": AUTH_CLASS,
            "custom": {"tokens": tokens, "limit_s": limits.total},
        },
        **(fileio or {}),
    }
    if realm is not None:
        properties["header.Polaris-Realm"] = realm
    return PolarisRestCatalog(catalog, limits, **properties)
