"""PyIceberg's REST catalog for a profile: every request ends, and errors name the place but no secret."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import requests
from floe_core.errors import CredentialsRefusedError, FloeError, MissingToolError, WrongStateError
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.catalog.rest.auth import AuthManager, OAuth2TokenProvider
from pyiceberg.exceptions import (
    CommitStateUnknownException,
    ForbiddenError,
    OAuthError,
    RESTError,
    ServerError,
    ServiceUnavailableError,
    UnauthorizedError,
)
from requests import HTTPError, RequestException
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dbt.adapters.duckdb_iceberg.credentials import DuckDBIcebergCredentials
    from pyiceberg.io import FileIO
    from requests import PreparedRequest, Response, Session

T = TypeVar("T")
LIMITS: Final = (3.0, 30.0)
"""Seconds to connect, seconds to the answer: a commit makes the server write to the store before it answers."""
OPENING_SECONDS: Final = 5.0
"""How long a catalog is asked that has never answered: its address may be wrong."""
AWAY_SECONDS: Final = 25.0
"""How long a catalog or a store may be away in the middle of a run."""
ENDPOINT: Final = "s3.endpoint"
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_SERVER_FAULT: Final = 500
TOKEN_SECONDS: Final = 600.0
"""For how long a token is taken to be good where the server does not say."""
_NOBODY: Final = re.compile(
    r"could not connect|failed to connect|connection (refused|reset|error)|NETWORK_CONNECTION|could ?n[o']t resolve"
    r"|could not establish connection|timed? ?out|server returned nothing",
    re.IGNORECASE,
)
"""What DuckDB, Arrow and the catalog's server say where nobody answers them; they have no class of errors for it."""


class _BoundedAdapter(HTTPAdapter):
    """PyIceberg sets no timeout on its requests."""

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        """Send, within bounds."""
        options["timeout"] = options.get("timeout") or LIMITS
        return super().send(request, *args, **options)


class _Tokens(OAuth2TokenProvider):
    """PyIceberg's own asks without a time limit, names no realm and wants a life that the answer may leave out."""

    def __init__(self, realm: str | None, **client: Any) -> None:
        super().__init__(**client)
        self._headers = {"Polaris-Realm": realm} if realm else {}

    def _refresh_token(self) -> None:
        form = {"grant_type": "client_credentials", "scope": self.scope}
        # `auth` and not a header: an entry of .netrc for the host would replace the header
        signed = HTTPBasicAuth(self.client_id.encode(), self.client_secret.encode())
        with requests.Session() as session:
            session.trust_env = not _is_loopback(self.token_url)
            answer = session.post(self.token_url, data=form, headers=self._headers, auth=signed, timeout=LIMITS)
        answer.raise_for_status()
        granted = answer.json()
        self._token = granted["access_token"]
        life = float(granted.get("expires_in") or TOKEN_SECONDS)
        self._expires_at = int(time.monotonic() + max(life - self.refresh_margin, life / 2))


class CatalogAuth(AuthManager):
    """Signs PyIceberg's requests."""

    def __init__(self, **client: Any) -> None:
        self._tokens = _Tokens(**client)

    def auth_header(self) -> str:
        """The Authorization header's value."""
        return f"Bearer {self._tokens.get_token()}"


def _is_loopback(url: str) -> bool:
    """Whether it is this machine, before which no proxy stands."""
    return urlsplit(url).hostname in _LOOPBACK


class _Catalog(RestCatalog):
    def _load_file_io(self, properties: Mapping[str, str] | None = None, location: str | None = None) -> FileIO:
        """The profile's address of the store wins over the server's, which may be a name inside of a cluster."""
        own = {name: value for name, value in self.properties.items() if name == ENDPOINT}
        return super()._load_file_io({**(properties or {}), **own}, location)

    def _create_session(self) -> Session:
        session = super()._create_session()
        session.trust_env = not _is_loopback(self.uri)
        for scheme in ("http://", "https://"):
            session.mount(scheme, _BoundedAdapter())
        return session


def open_catalog(credentials: DuckDBIcebergCredentials, seconds: float = OPENING_SECONDS) -> RestCatalog:
    """The profile's catalog, signed in; asked for so many seconds where nothing answers.

    Raises:
        CredentialsRefusedError: The server refuses the client.
        MissingToolError: No server answers.
        WrongStateError: The server has no such warehouse, or answers otherwise than a catalog would.
    """
    rest, store = credentials.rest, credentials.store
    properties: dict[str, Any] = {
        "uri": rest.rest_uri,
        "warehouse": rest.warehouse,
        "header.X-Iceberg-Access-Delegation": "",  # the profile brings its own keys of the store
        "auth": {
            "type": "custom",
            "impl": f"{__name__}.{CatalogAuth.__name__}",
            "custom": {
                "realm": rest.realm,
                "client_id": rest.client_id,
                "client_secret": rest.client_secret,
                "token_url": rest.token_uri,
                "scope": rest.scope,
            },
        },
        **({ENDPOINT: store.endpoint} if store.endpoint else {}),
        "s3.access-key-id": store.access_key,
        "s3.secret-access-key": store.secret_key,
        "s3.region": store.region,
        "s3.force-virtual-addressing": str(not store.path_style).lower(),
    }
    if rest.realm:
        properties["header.Polaris-Realm"] = rest.realm
    try:
        return patiently(lambda: _Catalog(credentials.database, **properties), seconds)
    except (RESTError, RequestException, ValueError) as error:
        raise explained(error, credentials) from None


def patiently(act: Callable[[], T], seconds: float = AWAY_SECONDS) -> T:
    """Do it, again and again for `seconds` while the catalog or the store is away; the last failure is raised.

    Only for acts that may be repeated: reading, listing, making what may be there already.
    """
    retrying = Retrying(
        retry=retry_if_exception(is_away),
        stop=stop_after_delay(seconds),
        wait=wait_exponential(multiplier=0.05, max=2),
        reraise=True,
    )
    return retrying(act)


def is_away(error: BaseException) -> bool:
    """Whether this says that nobody answers at the moment."""
    if isinstance(error, HTTPError):
        return error.response is not None and error.response.status_code >= _SERVER_FAULT
    if isinstance(error, (RequestException, CommitStateUnknownException, ServiceUnavailableError, ServerError)):
        return True
    return isinstance(error, OSError) and is_silence(str(error))  # of Arrow, on the way to the store


def is_silence(words: str) -> bool:
    """Whether an engine says with these words that nobody answered it."""
    return _NOBODY.search(words) is not None


def explained(error: Exception, credentials: DuckDBIcebergCredentials) -> FloeError:
    """The failure in words for people: URL, warehouse and client id are named, secrets never."""
    rest = credentials.rest
    where = f"{rest.rest_uri}, warehouse {rest.warehouse}, client id {rest.client_id}"
    why = redacted(str(error), credentials)
    status = error.response.status_code if isinstance(error, HTTPError) and error.response is not None else 0
    if is_away(error):
        return silent(why, credentials)
    if isinstance(error, (UnauthorizedError, ForbiddenError, OAuthError)) or status in (400, 401, 403):
        remedy = "look at catalog.client_id, client_secret and scope of the profile, and at the client's rights"
        return CredentialsRefusedError("the Iceberg catalog refuses the client", where=where, why=why, remedy=remedy)
    remedy = "look at catalog.uri and catalog.warehouse of the profile"
    return WrongStateError("the Iceberg catalog answers that it cannot", where=where, why=why, remedy=remedy)


def silent(why: str, credentials: DuckDBIcebergCredentials) -> FloeError:
    """The failure where nobody answers: of the store, where `why` names its address, else of the catalog."""
    rest, store = credentials.rest, credentials.store
    if store.endpoint and urlsplit(store.endpoint).netloc in why:
        remedy = "see whether the object store runs, and look at storage.endpoint of the profile; then run again"
        return MissingToolError("the object store does not answer", where=store.endpoint, why=why, remedy=remedy)
    where = f"{rest.rest_uri}, warehouse {rest.warehouse}, client id {rest.client_id}"
    remedy = "see whether the catalog runs, and look at catalog.uri of the profile; then run again"
    return MissingToolError("the Iceberg catalog does not answer", where=where, why=why, remedy=remedy)


def redacted(text: str, credentials: DuckDBIcebergCredentials) -> str:
    """The text without the profile's secrets."""
    for secret in credentials.secret_values:
        text = text.replace(secret, "***") if secret else text
    return text
