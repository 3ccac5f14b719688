"""Where the local platform keeps its files below `.floe/`."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

SOCKET_LIMIT = 85  # a Unix socket's path ends at 104 (macOS) or 108 bytes, and supervisord appends its pid to it


@dataclass(frozen=True)
class Layout:
    """The files of one platform; `state` is the project's `.floe/` folder.

    `run` holds what belongs to one start (configuration, logs, sockets), `data` what outlives `down`.
    """

    state: Path

    @property
    def run(self) -> Path:
        """What one start of the platform writes."""
        return self.state / "run" / "platform"

    @property
    def data(self) -> Path:
        """What `down` keeps and `reset` wipes."""
        return self.state / "data"

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME: the storage of runs, and the files of the products that they build."""
        return self.data / "dagster"

    @property
    def mark(self) -> str:
        """What marks the processes of this platform that are nobody's children any more."""
        return str(self.run)

    @property
    def logs(self) -> Path:
        """One log a service, and supervisord's own."""
        return self.run / "logs"

    @property
    def specs(self) -> Path:
        """What to execute for each service, with its environment; readable by the owner alone."""
        return self.run / "specs"

    @property
    def starts(self) -> Path:
        """One line for each start of each service: `pid seconds-since-epoch`."""
        return self.run / "starts"

    @property
    def owners(self) -> Path:
        """One file for each owner of the lease; kept outside of `run`, which a fresh start clears."""
        return self.state / "run" / "platform.owners"

    @property
    def lock(self) -> Path:
        """Held by whoever starts, heals or ends the platform."""
        return self.state / "run" / "platform.lock"

    @property
    def record(self) -> Path:
        """The running platform as JSON, without secrets."""
        return self.run / "platform.json"

    @property
    def secrets(self) -> Path:
        """The credentials of this start; readable by the owner alone."""
        return self.run / "secrets.json"

    @property
    def ports(self) -> Path:
        """The ports given out last, so that the next start asks for the same."""
        return self.data / "ports.json"

    @property
    def supervisor_conf(self) -> Path:
        """Supervisord's configuration."""
        return self.run / "supervisord.conf"

    @property
    def supervisor_pid(self) -> Path:
        """Supervisord's process id."""
        return self.run / "supervisord.pid"

    @property
    def sockets(self) -> Path:
        """The folder of the Unix sockets: `run`, or a short one in the temp folder where that path is too long."""
        if len(os.fsencode(self.run)) <= SOCKET_LIMIT - len("/supervisor.sock"):
            return self.run
        digest = hashlib.sha256(os.fsencode(self.run)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"floe-{os.getuid()}-{digest}"

    @property
    def socket(self) -> Path:
        """Supervisord's socket."""
        return self.sockets / "supervisor.sock"

    def make(self) -> None:
        """Make the folders of a start, closed to other users.

        Raises:
            OSError: They cannot be made, or the short socket folder belongs to somebody else.
        """
        for folder in (self.run, self.logs, self.specs, self.starts, self.sockets, self.data, self.owners):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.sockets.stat().st_uid != os.getuid():
            raise PermissionError(13, "the folder of the sockets belongs to another user", str(self.sockets))
        self.sockets.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Write `text` whole or not at all, readable by the owner alone."""
    making = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fd = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
        making.replace(path)
    except OSError:
        making.unlink(missing_ok=True)
        raise
