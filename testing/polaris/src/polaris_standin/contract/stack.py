"""The processes of the suites: an object store, a way to it that can be closed, and a Polaris.

Every process dies with its parent (on Linux also when the parent is killed) and logs to a file, which a
failure to start quotes.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import requests
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from polaris_standin.engines.postgresql import Database

BUCKET = "floe-iceberg"
_HOST = "127.0.0.1"
_STORE_SECONDS = 30
_STANDIN_SECONDS = 20
_JAVA_SECONDS = 90
_PR_SET_PDEATHSIG = 1
_STS_KEY_BYTES = 24


class StackError(Exception):
    """A process of the stack cannot be started; the message quotes its log."""


@dataclass(frozen=True)
class Server:
    """A Polaris, real or not: base URLs without a trailing slash and the root credentials."""

    api: str
    management: str
    client_id: str
    secret: str


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A child process in its own session.

    Args:
        command: Program and arguments; no secrets.
        log: Where its output goes.
        environment: Added to the environment of this process.
        folder: Its working directory.
        identity: `user`, `group` and `extra_groups` as Popen takes them, for a program that refuses to run as root.
    """

    def __init__(
        self,
        command: list[str],
        log: Path,
        environment: Mapping[str, str],
        folder: Path | None = None,
        **identity: Any,
    ) -> None:
        self._log = log
        with log.open("wb") as output:
            self.popen = subprocess.Popen(  # noqa: S603 - the project's own commands
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                cwd=folder,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - prctl only
                **identity,
            )

    def wait_for(self, is_ready: Callable[[], bool], seconds: float) -> None:
        """Poll from 50 ms on until ready.

        Raises:
            StackError: It ended, or the deadline passed.
        """
        retrying = Retrying(
            retry=retry_if_exception_type((_NotYetError, requests.RequestException)),
            stop=stop_after_delay(seconds),
            wait=wait_exponential(multiplier=0.05, max=0.5),
        )
        try:
            retrying(self._check, is_ready)
        except RetryError:
            self.end()
            raise StackError(f"not ready after {seconds} s\n{self.log()}") from None

    def end(self, number: int = signal.SIGKILL) -> int:
        """Send a signal to its session and wait; the exit status."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, number)
        return self.popen.wait(timeout=10)

    def log(self) -> str:
        """The last lines of its output."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])

    def _check(self, is_ready: Callable[[], bool]) -> None:
        if self.popen.poll() is not None:
            raise StackError(f"ended with status {self.popen.returncode}\n{self.log()}")
        if not is_ready():
            raise _NotYetError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


class _NotYetError(Exception):
    pass


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(frozen=True)
class Keys:
    """Credentials of the object store."""

    access: str
    secret: str

    def environment(self) -> dict[str, str]:
        """As the AWS SDKs read them."""
        return {
            "AWS_ACCESS_KEY_ID": self.access,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


class ObjectStore(Process):
    """SeaweedFS with an S3 endpoint, an STS, and one bucket; its telemetry is off.

    Args:
        folder: For its data and log.
        keys: Its credentials.
    """

    def __init__(self, folder: Path, keys: Keys) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Without this key its STS answers 503.
        signing = f'[jwt.filer_signing]\nkey = "{secrets.token_hex(_STS_KEY_BYTES)}"\n'
        (folder / "security.toml").write_text(signing, encoding="utf-8")
        self.port = free_port()
        self._keys = keys
        super().__init__(self._command(folder), folder / "weed.log", keys.environment(), folder)
        self.wait_for(self._is_ready, _STORE_SECONDS)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{_HOST}:{self.port}"

    def _command(self, folder: Path) -> list[str]:
        ports = [
            f"-{part}={free_port()}"
            for service in ("master", "volume", "filer", "admin")
            for part in (f"{service}.port", f"{service}.port.grpc")
        ]
        return [
            str(Path(sysconfig.get_path("scripts")) / "weed"),
            "mini",
            f"-dir={folder / 'data'}",
            f"-ip={_HOST}",
            f"-ip.bind={_HOST}",
            f"-s3.port={self.port}",
            f"-s3.port.grpc={free_port()}",
            f"-bucket={BUCKET}",
            *ports,
            "-master.telemetry=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-webdav=false",
            "-admin.ui=false",
            "-volume.max=100",
        ]

    def _is_ready(self) -> bool:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        client = boto3.client(
            "s3",
            endpoint_url=f"http://{self.address}",
            aws_access_key_id=self._keys.access,
            aws_secret_access_key=self._keys.secret,
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=2),
        )
        try:
            client.put_object(Bucket=BUCKET, Key=".ready", Body=b"")
        except (BotoCoreError, ClientError):
            return False
        return True


class Proxy:
    """A TCP relay to the object store: closed, it refuses connections like a store that is down."""

    def __init__(self, target_port: int) -> None:
        self._target = (_HOST, target_port)
        self._port = free_port()
        self._listener: socket.socket | None = None
        self._streams: set[socket.socket] = set()
        self.set_open(is_open=True)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{_HOST}:{self._port}"

    def set_open(self, *, is_open: bool) -> None:
        """Open or close the way; closing cuts what is under way."""
        if is_open and self._listener is None:
            self._listener = socket.create_server((_HOST, self._port))
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        elif not is_open and self._listener is not None:
            for stream in (self._listener, *self._streams):
                with contextlib.suppress(OSError):
                    stream.shutdown(socket.SHUT_RDWR)
                stream.close()
            self._listener = None
            self._streams.clear()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                upstream = socket.create_connection(self._target)
                self._streams |= {client, upstream}
                for source, sink in ((client, upstream), (upstream, client)):
                    threading.Thread(target=self._relay, args=(source, sink), daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for stream in (source, sink):
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)
            stream.close()
            self._streams.discard(stream)


class Polaris(Process):
    """A Polaris process on free ports: the stand-in, or a distribution of the real one.

    Args:
        folder: For its log.
        keys: Credentials of the object store.
        home: An unpacked Apache Polaris; None starts the stand-in.
        state: Folder for the state; None keeps it in memory.
        database: Where the stand-in's state is instead, as in a container: told by the environment alone.
        is_awaited: Whether it must be ready before this goes on.
        token_seconds: Life of tokens; None is the server's default.
        requires_realm: Whether requests must name the realm.
    """

    def __init__(  # noqa: PLR0913 - keyword settings of one process
        self,
        folder: Path,
        keys: Keys,
        *,
        home: Path | None = None,
        state: Path | None = None,
        database: Database | None = None,
        is_awaited: bool = True,
        token_seconds: int | None = None,
        requires_realm: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        secret = secrets.token_urlsafe(16)
        api, management = free_port(), free_port()
        self.server = Server(f"http://{_HOST}:{api}", f"http://{_HOST}:{management}", "root", secret)
        if home is None:
            ports = ["--from-environment"] if database else _ports(api, management)
            command = _standin(ports, state, token_seconds, requires_realm=requires_realm)
        else:
            command = _distribution(home, api, management, token_seconds, requires_realm=requires_realm)
        environment = {**keys.environment(), "POLARIS_BOOTSTRAP_CREDENTIALS": f"POLARIS,root,{secret}"}
        if database:
            environment |= _container(api, management, database)
        super().__init__(command, folder / f"polaris-{api}.log", environment)
        self._seconds = _STANDIN_SECONDS if home is None else _JAVA_SECONDS
        if is_awaited:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until its health says so.

        Raises:
            StackError: It ended, or did not become ready in time.
        """
        self.wait_for(self._is_ready, self._seconds)

    def _is_ready(self) -> bool:
        url = f"{self.server.management}/q/health/ready"
        return requests.get(url, timeout=2).status_code == HTTPStatus.OK


def _ports(api: int, management: int) -> list[str]:
    return [f"--port={api}", f"--management-port={management}"]


def _container(api: int, management: int, database: Database) -> dict[str, str]:
    """The environment of a container with the real server."""
    return {
        "QUARKUS_HTTP_HOST": _HOST,
        "QUARKUS_HTTP_PORT": str(api),
        "QUARKUS_MANAGEMENT_PORT": str(management),
        "POLARIS_PERSISTENCE_TYPE": "relational-jdbc",
        "QUARKUS_DATASOURCE_JDBC_URL": f"jdbc:postgresql://{database}",
        "QUARKUS_DATASOURCE_USERNAME": database.user,
        "QUARKUS_DATASOURCE_PASSWORD": database.password,
    }


def _standin(ports: list[str], state: Path | None, token_seconds: int | None, *, requires_realm: bool) -> list[str]:
    return [
        str(Path(sysconfig.get_path("scripts")) / "polaris-standin"),
        *ports,
        f"--state={state or ':memory:'}",
        *([f"--token-seconds={token_seconds}"] if token_seconds else []),
        *(["--require-realm"] if requires_realm else []),
    ]


def _distribution(
    home: Path, api: int, management: int, token_seconds: int | None, *, requires_realm: bool
) -> list[str]:
    """The command of a real server; its settings are Java system properties."""
    jars = [home / "quarkus-run.jar", home / "server" / "quarkus-run.jar"]
    jar = next((jar for jar in jars if jar.is_file()), None)
    java = shutil.which("java")
    if jar is None or java is None:
        missing = "java on PATH" if java is None else f"quarkus-run.jar in {home}"
        raise StackError(f"cannot start Apache Polaris: there is no {missing}")
    settings = {
        "quarkus.http.host": _HOST,
        "quarkus.http.port": api,
        "quarkus.management.host": _HOST,
        "quarkus.management.port": management,
        "quarkus.log.file.enabled": "false",
    }
    if token_seconds:
        settings["polaris.authentication.token-broker.max-token-generation"] = f"PT{token_seconds}S"
    if requires_realm:
        settings["polaris.realm-context.require-header"] = "true"
    return [java, *(f"-D{key}={value}" for key, value in settings.items()), "-jar", str(jar)]
