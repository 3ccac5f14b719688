"""The environment of a container, as the real server reads it (names of Quarkus and of Apache Polaris 1.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from polaris_standin.engines.postgresql import Database

if TYPE_CHECKING:
    from collections.abc import Mapping

PERSISTENCE = "POLARIS_PERSISTENCE_TYPE"
JDBC_URL = "QUARKUS_DATASOURCE_JDBC_URL"
USERNAME = "QUARKUS_DATASOURCE_USERNAME"
PASSWORD = "QUARKUS_DATASOURCE_PASSWORD"  # noqa: S105 - the name of a variable
IN_MEMORY, RELATIONAL = "in-memory", "relational-jdbc"
_URL_FORM = "jdbc:postgresql://host:port/database"
_PREFIX = "jdbc:postgresql:"
_POSTGRESQL_PORT = 5432
_PORTS = 1 << 16


class SettingError(Exception):
    """A variable has a value that is not supported here; says which are."""


@dataclass(frozen=True)
class Settings:
    """Where to listen, and where the state is: in a database, or (None) in memory."""

    host: str
    port: int
    management_port: int
    database: Database | None


def read(environ: Mapping[str, str]) -> Settings:
    """The settings of an environment; an empty value counts as none.

    Raises:
        SettingError: A value is not supported, or one that is needed is missing; shows no password.
    """
    return Settings(
        host=environ.get("QUARKUS_HTTP_HOST") or "0.0.0.0",  # noqa: S104 # nosec B104 - a pod is reached from outside
        port=_port(environ, "QUARKUS_HTTP_PORT", 8181),
        management_port=_port(environ, "QUARKUS_MANAGEMENT_PORT", 8182),
        database=_database(environ),
    )


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < _PORTS):
        raise SettingError(f"{name} is {text!r}; supported: a port from 1 to {_PORTS - 1}")
    return int(text)


def _database(environ: Mapping[str, str]) -> Database | None:
    kind = environ.get(PERSISTENCE) or IN_MEMORY
    if kind == IN_MEMORY:
        return None
    if kind != RELATIONAL:
        raise SettingError(f"{PERSISTENCE} is {kind!r}; supported: {IN_MEMORY}, {RELATIONAL}")
    missing = [name for name in (JDBC_URL, USERNAME, PASSWORD) if not environ.get(name)]
    if missing:
        raise SettingError(f"{PERSISTENCE} is {RELATIONAL}, and not set: {', '.join(missing)}")
    host, port, name = _place(environ[JDBC_URL])
    return Database(host, port, name, environ[USERNAME], environ[PASSWORD])


def _place(url: str) -> tuple[str, int, str]:
    """Host, port and database of a JDBC URL."""
    # The value is not repeated: a URL may carry a password.
    refused = SettingError(f"{JDBC_URL} is no URL of the supported form: {_URL_FORM}, without user and options")
    if not url.startswith(_PREFIX):
        raise refused
    try:
        parts = urlsplit(url.removeprefix("jdbc:"))
        port = parts.port or _POSTGRESQL_PORT
    except ValueError:
        raise refused from None
    name = unquote(parts.path.removeprefix("/"))
    if not parts.hostname or not name or "/" in name or "@" in parts.netloc or parts.query or "," in parts.netloc:
        raise refused
    return parts.hostname, port, name
