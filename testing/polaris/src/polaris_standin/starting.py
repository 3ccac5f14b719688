"""Bring the state up: make the realm where it is not there, and wait for a database that is not there yet."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from polaris_standin import principals
from polaris_standin.engines import DatabaseError
from polaris_standin.engines.postgresql import Postgresql
from polaris_standin.engines.sqlite import Sqlite
from polaris_standin.store import Store

if TYPE_CHECKING:
    from polaris_standin.engines.postgresql import Database

WRONG = 4
MEMORY = ":memory:"
FILE = "polaris.sqlite"


def in_file(state: str, client_id: str, secret: str) -> Store:
    """The store in a folder or in memory, bootstrapped.

    Raises:
        OSError, DatabaseError: It cannot be made or is none.
    """
    path = None
    if state != MEMORY:
        folder = Path(state)
        # Salted hashes of secrets are in there: for the owner only.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / FILE
    store = Store(Sqlite(path))
    principals.bootstrap(store, client_id, secret)
    return store


def in_database(database: Database, client_id: str, secret: str, seconds: float) -> Store:
    """The store in PostgreSQL, at once; it refuses everything until the database was reached and the realm made.

    A database that does not answer within `seconds` ends the process with 4 and what it said last.
    """
    engine = Postgresql(database, is_held=True)

    def start() -> None:
        try:
            bootstrapped(database, client_id, secret, seconds)
        except DatabaseError as error:
            what = f"the database {database} did not answer within {seconds:g} s: {error}"
            sys.stderr.write(f"polaris-standin: {what}\n  next:  see whether it runs, and who may sign in there\n")
            sys.stderr.flush()
            os._exit(WRONG)
        engine.release()

    threading.Thread(target=start, daemon=True).start()
    return Store(engine)


def bootstrapped(database: Database, client_id: str, secret: str, seconds: float) -> None:
    """Make the realm, or give its root these credentials; polls from 50 ms.

    Raises:
        DatabaseError: The database gave no answer within `seconds`; the last one that it gave.
    """
    engine = Postgresql(database)
    try:
        Retrying(
            retry=retry_if_exception_type(DatabaseError),
            stop=stop_after_delay(seconds),
            wait=wait_exponential(multiplier=0.05, max=0.5),
            reraise=True,
        )(principals.bootstrap, Store(engine), client_id, secret)
    finally:
        engine.close()
