"""`polaris-standin`: start the stand-in in the foreground.

Exit codes: 2 for a mistake in the call or its environment, 4 for a port that is taken or a state that cannot
be used. SIGTERM and SIGINT end the process at once with the signal's own status.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polaris_standin.store import Store

USAGE = 2
WRONG = 4
CREDENTIALS = "POLARIS_BOOTSTRAP_CREDENTIALS"
MEMORY = ":memory:"
DATABASE = "polaris.sqlite"


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until a signal comes."""
    options = _parser().parse_args(arguments)
    realm, client_id, secret = _credentials(os.environ.get(CREDENTIALS))
    from polaris_standin import principals, server
    from polaris_standin.iceberg.storage import Storage
    from polaris_standin.service import Service
    from polaris_standin.tokens import Tokens

    try:
        api = server.listen(options.host, options.port)
        management = server.listen(options.host, options.management_port)
    except server.PortTakenError as error:
        _fail(WRONG, str(error), "choose another with --port or --management-port, or end who listens there")
    try:
        store = _open(options.state)
        principals.bootstrap(store, client_id, secret)
    except (OSError, sqlite3.Error) as error:
        _fail(WRONG, f"cannot use the state {options.state}: {error}", "give another --state, or remove it")
    service = Service(store, Tokens(options.token_seconds), Storage(), realm, options.require_realm)
    server.serve(service, api, management)


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
        raise argparse.ArgumentTypeError(f"{text} is no life of a token (1 or more seconds)")
    return seconds


def _credentials(text: str | None) -> tuple[str, str, str]:
    """Realm, client id and secret of the first realm in `realm,id,secret[;…]`."""
    parts = (text or "").split(";")[0].split(",")
    if len(parts) != len(("realm", "id", "secret")) or not all(parts):
        state = "is not set" if not text else "is not of the form realm,client-id,secret"
        _fail(USAGE, f"{CREDENTIALS} {state}", f'set it, for example {CREDENTIALS}="POLARIS,root,<secret>"')
    realm, client_id, secret = parts
    return realm, client_id, secret


def _open(state: str) -> Store:
    """The store in a folder or in memory.

    Raises:
        OSError, sqlite3.Error: It cannot be made or is none.
    """
    from polaris_standin.store import Store

    if state == MEMORY:
        return Store(None)
    folder = Path(state)
    # Salted hashes of secrets are in there: for the owner only.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Store(folder / DATABASE)


def _fail(code: int, what: str, remedy: str) -> NoReturn:
    sys.stderr.write(f"polaris-standin: {what}\n  next:  {remedy}\n")
    sys.exit(code)
