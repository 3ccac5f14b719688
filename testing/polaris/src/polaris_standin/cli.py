"""`polaris-standin`: start the stand-in in the foreground.

Exit codes: 2 for a mistake in the call or its environment, 4 for a port that is taken, a state that cannot be
used or a database that does not answer. SIGTERM and SIGINT end the process at once with the signal's own status.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polaris_standin.store import Store

USAGE = 2
WRONG = 4
CREDENTIALS = "POLARIS_BOOTSTRAP_CREDENTIALS"
MEMORY = ":memory:"


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until a signal comes."""
    options = _options(arguments)
    realm, client_id, secret = _credentials(os.environ.get(CREDENTIALS))
    from polaris_standin import server
    from polaris_standin.iceberg.storage import Storage
    from polaris_standin.service import Service
    from polaris_standin.tokens import Tokens

    try:
        api = server.listen(options.host, options.port)
        management = server.listen(options.host, options.management_port)
    except server.PortTakenError as error:
        _fail(WRONG, str(error), "choose another with --port or --management-port, or end who listens there")
    store = _store(options, client_id, secret)
    service = Service(store, Tokens(options.token_seconds), Storage(), realm, options.require_realm)
    server.serve(service, api, management)


def _store(options: argparse.Namespace, client_id: str, secret: str) -> Store:
    from polaris_standin import starting
    from polaris_standin.engines import DatabaseError

    if options.database is not None:
        return starting.in_database(options.database, client_id, secret, options.database_seconds)
    try:
        return starting.in_file(options.state, client_id, secret)
    except (OSError, DatabaseError) as error:
        _fail(WRONG, f"cannot use the state {options.state}: {error}", "give another --state, or remove it")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The words of the call; what they leave open comes from the environment where `--from-environment` says so."""
    parser = _parser()
    if parser.parse_args(arguments).from_environment:
        from polaris_standin import environment

        try:
            settings = environment.read(os.environ)
        except environment.SettingError as error:
            _fail(USAGE, str(error), "set a supported value; `polaris-standin --help` names what is read")
        parser.set_defaults(**vars(settings))
    return parser.parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="polaris-standin", description=f"A stand-in for Apache Polaris 1.4.1. Needs {CREDENTIALS}."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=8181, help="API port (default: %(default)s)")
    parser.add_argument(
        "--management-port", type=_port, default=8182, help="health and metrics port (default: %(default)s)"
    )
    parser.add_argument(
        "--state", default=MEMORY, help=f"folder for the state, or {MEMORY} to lose it at the end (default)"
    )
    parser.add_argument("--token-seconds", type=_seconds, default=3600, help="life of a token (default: %(default)s)")
    parser.add_argument(
        "--from-environment",
        action="store_true",
        help="take what no option says from the variables that the real server reads: QUARKUS_HTTP_HOST (0.0.0.0), "
        "QUARKUS_HTTP_PORT, QUARKUS_MANAGEMENT_PORT, POLARIS_PERSISTENCE_TYPE (in-memory, relational-jdbc), "
        "QUARKUS_DATASOURCE_JDBC_URL (jdbc:postgresql://host:port/database), QUARKUS_DATASOURCE_USERNAME and _PASSWORD",
    )
    parser.add_argument(
        "--database-seconds",
        type=_seconds,
        default=120,
        help="how long to wait for the database at the start (default: %(default)s)",
    )
    parser.set_defaults(database=None)
    parser.add_argument("--require-realm", action="store_true", help="refuse requests without a Polaris-Realm header")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text} is no port (1 to 65535)")
    return port


def _seconds(text: str) -> int:
    seconds = int(text)
    if seconds < 1:
        raise argparse.ArgumentTypeError(f"{text} is no duration (1 or more seconds)")
    return seconds


def _credentials(text: str | None) -> tuple[str, str, str]:
    """Realm, client id and secret of the first realm in `realm,id,secret[;…]`."""
    parts = (text or "").split(";")[0].split(",")
    if len(parts) != len(("realm", "id", "secret")) or not all(parts):
        state = "is not set" if not text else "is not of the form realm,client-id,secret"
        _fail(USAGE, f"{CREDENTIALS} {state}", f'set it, for example {CREDENTIALS}="POLARIS,root,<secret>"')
    realm, client_id, secret = parts
    return realm, client_id, secret


def _fail(code: int, what: str, remedy: str) -> NoReturn:
    sys.stderr.write(f"polaris-standin: {what}\n  next:  {remedy}\n")
    sys.exit(code)
