"""supervisord: start it, ask it, end it. One instance runs all services of a platform."""

from __future__ import annotations

import http.client
import shlex
import signal
import socket
import subprocess  # nosec B404 - starting processes is what this module is for
import sys
import xmlrpc.client  # nosec B411 - only our own supervisord answers, on a socket closed to others
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import psutil
from floe_core.errors import NotReadyError
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

from floe_ops.targets.local.layout import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable

    from floe_ops.targets.local.layout import Layout

GROUP = "floe"
MORE = "more"  # what was asked for beside the platform's services
BAD_NAME = 10  # of supervisord's faults: there is no such group
ANSWER_S = 3.0
START_S = 15.0
STOP_S = 8  # seconds that a service has to end before it is killed
MORE_STOP_S = 4  # for one of `MORE`: groups end one after the other, and Dagster's daemon finishes its pauses first
END_S = STOP_S + 4.0


@dataclass(frozen=True)
class Process:
    """What supervisord says about one service; `state` is one of its own words, for example RUNNING or FATAL."""

    name: str
    group: str
    state: str
    pid: int
    started: int
    detail: str


class Supervisor:
    """The supervisord of one layout, running or not."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def configure(self, names: Iterable[str], more: Iterable[str] = ()) -> None:
        """Write the configuration for the services `names`, and for `more`; their specs lie in the layout's `specs`."""
        groups = {GROUP: list(names), MORE: list(more)}
        sections = [_global(self.layout), *(_group(group, listed) for group, listed in groups.items() if listed)]
        limits = {GROUP: STOP_S, MORE: MORE_STOP_S}
        sections += [_program(self.layout, name, limits[group]) for group, all_ in groups.items() for name in all_]
        write_private(self.layout.supervisor_conf, "\n".join(sections))

    def start(self) -> None:
        """Start supervisord, which starts all services at once; returns before any is ready.

        Raises:
            NotReadyError: It refused its configuration or its socket.
        """
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.layout.supervisor_conf)]
        done = subprocess.run(  # noqa: S603  # nosec B603 - our own interpreter, no shell
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd=self.layout.run,
            timeout=START_S,
            check=False,
        )  # it leaves this process's session by itself once it has read its configuration
        if done.returncode != 0:
            raise NotReadyError(
                "supervisord did not start",
                where=str(self.layout.supervisor_conf),
                why=(done.stderr or done.stdout).strip()[-600:],
                remedy="call platform.down, then platform.up again",
            )

    def pid(self) -> int | None:
        """The process id of this layout's supervisord; None when it does not run."""
        with suppress(OSError, ValueError, psutil.Error):
            pid = int(self.layout.supervisor_pid.read_text(encoding="utf-8"))
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE and str(self.layout.supervisor_conf) in process.cmdline():
                return pid
        return None

    def processes(self) -> dict[str, Process] | None:
        """All services by name; None when supervisord does not run, is on its way out or does not answer."""
        try:
            with self._client() as client:
                if cast("dict[str, Any]", client.supervisor.getState())["statename"] != "RUNNING":
                    return None
                rows = cast("list[dict[str, Any]]", client.supervisor.getAllProcessInfo())
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            return None
        return {
            row["name"]: Process(row["name"], row["group"], row["statename"], row["pid"], row["start"], row["spawnerr"])
            for row in rows
        }

    def start_process(self, name: str) -> None:
        """Start a service that gave up or was stopped; no error when it runs already."""
        group = (self.processes() or {})[name].group
        with suppress(xmlrpc.client.Fault), self._client() as client:
            client.supervisor.startProcess(f"{group}:{name}", False)  # noqa: FBT003 - the remote side's signature

    def add(self, names: list[str]) -> None:
        """Start more programs beside the services that run; their specs lie in the layout's `specs`.

        Raises:
            NotReadyError: supervisord does not run, or refused them.
        """
        services = [process.name for process in (self.processes() or {}).values() if process.group == GROUP]
        self.configure(services, names)
        try:
            with self._client() as client:
                client.supervisor.reloadConfig()
                client.supervisor.addProcessGroup(MORE)
        except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
            raise NotReadyError(
                "supervisord did not take more programs",
                where=str(self.layout.supervisor_conf),
                why=str(error),
                remedy="call platform.down, then platform.up again",
            ) from error

    def drop(self) -> None:
        """End what `add` started, and forget it; no error where there is nothing.

        Raises:
            NotReadyError: It outlived its kill.
        """
        rows = [process for process in (self.processes() or {}).values() if process.group == MORE]
        if not rows:
            return
        with suppress(xmlrpc.client.Fault), self._client() as client:
            client.supervisor.stopProcessGroup(MORE, False)  # noqa: FBT003 - the remote side's signature
        waiting = [psutil.Process(row.pid) for row in rows if row.pid and psutil.pid_exists(row.pid)]
        end_processes(_outlasting(waiting, END_S))
        Retrying(
            stop=stop_after_delay(END_S),
            wait=wait_exponential(multiplier=0.05, max=0.5),
            retry=retry_if_result(lambda done: not done),
            retry_error_callback=lambda _state: False,
        )(self._forget)

    def _forget(self) -> bool:
        """Whether supervisord has no such group any more; it refuses while it has not seen the last one end."""
        try:
            with self._client() as client:
                client.supervisor.removeProcessGroup(MORE)
        except xmlrpc.client.Fault as fault:
            return bool(fault.faultCode == BAD_NAME)
        return True

    def end(self, deadline: float = END_S) -> None:
        """End supervisord and with it all services, and wait until all are gone.

        Raises:
            NotReadyError: Something could not even be killed.
        """
        pid = self.pid()
        if pid is None:
            return
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            self._ask_to_end(process)
            left = _outlasting(process.children(recursive=True), deadline)
            # It looks only once a second whether its services are gone, and has nothing else left to do.
            end_processes([*left, process])
        self.layout.socket.unlink(missing_ok=True)
        self.layout.supervisor_pid.unlink(missing_ok=True)

    def _ask_to_end(self, process: psutil.Process) -> None:
        """By the socket, which wakes it at once; by a signal where it does not answer."""
        try:
            with self._client() as client:
                client.supervisor.shutdown()
        except xmlrpc.client.Fault:
            return  # it is on its way out already
        except (OSError, http.client.HTTPException, xmlrpc.client.Error):
            process.send_signal(signal.SIGTERM)

    def _client(self) -> xmlrpc.client.ServerProxy:
        return xmlrpc.client.ServerProxy("http://supervisor", transport=_UnixTransport(self.layout.socket))


def end_processes(processes: list[psutil.Process]) -> None:
    """Kill what did not end by itself, and wait until it is gone.

    Raises:
        NotReadyError: A process outlived its kill.
    """
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    left = _outlasting(processes, END_S)
    if left:
        raise NotReadyError(
            "a process of the platform does not end",
            where=", ".join(f"pid {process.pid}" for process in left),
            why="it was killed and is still there; the kernel may be waiting for a disk",
            remedy="look at it with ps, then call platform.down again",
        )


def _outlasting(processes: list[psutil.Process], deadline: float) -> list[psutil.Process]:
    """Those that are still there after `deadline` seconds; one that only waits to be reaped is gone."""
    looking = Retrying(
        stop=stop_after_delay(deadline),
        wait=wait_exponential(multiplier=0.02, max=0.2),
        retry=retry_if_result(bool),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else [],
    )
    left: list[psutil.Process] = looking(lambda: [process for process in processes if _is_there(process)])
    return left


def _is_there(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("supervisor", timeout=ANSWER_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_S)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.sock.close()
            raise


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = self._connection[1] or _UnixConnection(self._path)
        self._connection = (host, connection)  # for the next call, and for close()
        return connection


def _text(value: object) -> str:
    """A value for supervisord's configuration, in which a percent sign starts an expansion."""
    return str(value).replace("%", "%%")


def _global(layout: Layout) -> str:
    return f"""\
[supervisord]
identifier=floe
directory={_text(layout.run)}
logfile={_text(layout.logs / "supervisord.log")}
logfile_maxbytes=1MB
logfile_backups=1
pidfile={_text(layout.supervisor_pid)}
childlogdir={_text(layout.logs)}
umask=077
nocleanup=true

[unix_http_server]
file={_text(layout.socket)}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{_text(layout.socket)}
"""


def _group(group: str, names: list[str]) -> str:
    """One group: supervisord ends the members of a group side by side, and groups one after the other."""
    return f"[group:{group}]\nprograms={','.join(names)}\n"


def _program(layout: Layout, name: str, stop_s: int) -> str:
    # The log's path is relative because supervisord expands this one option twice, percent signs and all.
    guard = Path(__file__).with_name("guard.py")
    command = shlex.join([sys.executable, "-I", "-S", str(guard), str(layout.specs / f"{name}.json")])
    return f"""\
[program:{name}]
command={_text(command)}
autorestart=true
startsecs=1
startretries=2
stopsignal=TERM
stopwaitsecs={stop_s}
redirect_stderr=true
stdout_logfile={layout.logs.name}/{name}.log
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=1
"""
