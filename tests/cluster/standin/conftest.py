"""A real PostgreSQL for the stand-in: Debian's programs, a fresh database for each test, and its sudden end."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import psycopg2
import pytest
from polaris_standin.contract.stack import Keys, ObjectStore, Polaris, Process, free_port
from polaris_standin.engines.postgresql import Database, Postgresql
from polaris_standin.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ADMIN = "postgres"
ROLE = "polaris"
START_S = 60
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


def programs() -> Path:
    """The folder that holds initdb and postgres: on PATH, else where distributions put it."""
    named = shutil.which("initdb")
    found = [Path(named).parent] if named else []
    found += [path for place in PLACES for path in sorted(Path("/").glob(place[1:]))]
    if not found:
        pytest.fail(f"this lane needs PostgreSQL: there is no initdb on PATH or in {', '.join(PLACES)}")
    return found[-1]


class Server(Process):
    """PostgreSQL on a free port of the loopback, with the role of the stand-in.

    It refuses to run as root: then it runs as nobody. `kill` ends all of it as a power failure would.
    """

    def __init__(self, folder: Path) -> None:
        self._bin, self._folder = programs(), folder
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        self._passwords = {ADMIN: secrets.token_hex(16), ROLE: secrets.token_hex(16)}
        self.port = free_port()
        self._init()
        self.start()
        self._run(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{self._passwords[ROLE]}'")

    def start(self) -> None:
        """Start it on its port and its data, and wait until it answers."""
        words = [str(self._bin / "postgres"), "-D", str(self._folder / "data"), "-p", str(self.port)]
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "shared_buffers": "16MB"}
        words += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        super().__init__(words, self._folder / "postgres.log", {}, self._folder, **self._user)
        self.wait_for(self._answers, START_S)

    def kill(self) -> None:
        """Kill the server and every process of it at once, and see them gone."""
        main = psutil.Process(self.popen.pid)
        everyone = [main, *main.children(recursive=True)]  # the main one first: it would start others anew
        for process in everyone:
            process.kill()
        self.popen.wait(timeout=10)
        psutil.wait_procs(everyone, timeout=10)

    def database(self) -> Database:
        """A new and empty database that the role owns."""
        name = f"d{secrets.token_hex(4)}"
        self._run(f"CREATE DATABASE {name} OWNER {ROLE}")
        return Database("127.0.0.1", self.port, name, ROLE, self._passwords[ROLE])

    def _run(self, sql: str) -> None:
        connection = self._connect()
        connection.autocommit = True
        try:
            connection.cursor().execute(sql)
        finally:
            connection.close()

    def _connect(self) -> Any:
        return psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            dbname="postgres",
            user=ADMIN,
            password=self._passwords[ADMIN],
            connect_timeout=2,
        )

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def _init(self) -> None:
        words = ["-D", str(self._folder / "data"), "-U", ADMIN, "--auth=scram-sha-256", "--no-sync", "--encoding=UTF8"]
        password = self._folder / "password"
        password.touch(mode=0o600)
        password.write_text(f"{self._passwords[ADMIN]}\n", encoding="utf-8")
        if self._user:
            os.chown(password, self._user["user"], self._user["group"])
        done = subprocess.run(
            [str(self._bin / "initdb"), *words, "--no-locale", f"--pwfile={password}"],
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **self._user,
        )
        password.unlink()
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    # Below the system's own folder for temporary files: that of pytest is closed to other users than its own.
    folder = Path(tempfile.mkdtemp(prefix="floe-postgresql-"))
    try:
        with Server(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def database(postgresql: Server) -> Database:
    return postgresql.database()


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    """The state in a fresh database."""
    made = Store(Postgresql(database))
    yield made
    made.close()


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys("standin", secrets.token_hex(16))


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[ObjectStore]:
    with ObjectStore(tmp_path_factory.mktemp("store"), keys) as running:
        yield running


@pytest.fixture
def start(tmp_path: Path, keys: Keys) -> Iterator[Callable[..., Polaris]]:
    """Starts stand-ins, which end with the test."""
    running: list[Polaris] = []

    def run(database: Database, options: Mapping[str, Any] | None = None) -> Polaris:
        running.append(Polaris(tmp_path, keys, database=database, **(options or {})))
        return running[-1]

    yield run
    for one in running:
        one.end()
