"""The platform as real processes on this machine, kept by one supervisord."""

from __future__ import annotations

import dataclasses
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, NotReadyError

from floe_ops import project
from floe_ops.services import LOCAL, on_demand
from floe_ops.targets.interface import Platform, Target
from floe_ops.targets.local.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_ops.targets.seen import Finding, ServiceStatus

LOCK_S = 120.0  # another one may be starting the platform; tools are built before the lock is taken
NO_SPACE = 28


class LocalTarget(Target):
    """SeaweedFS, a catalog server, the collector and Jaeger on loopback; Dagster where it is asked for."""

    name = LOCAL

    @property
    def layout(self) -> Layout:
        """Where its files are."""
        return Layout(project.root() / ".floe")

    def ensure(self, *services: str) -> Platform:
        """Bring up what is not up; returns when every service is ready. Safe to call side by side.

        The platform belongs to the run in `FLOE_RUN_PID` and ends with it, or to nobody and stays.

        Args:
            services: Those that are started on demand and are wanted too.

        Raises:
            MissingToolError: A tool cannot be had.
            NotReadyError: A service did not become ready in time; holds its last log lines.
            UsageError: The environment describes a remote catalog or a run that cannot be.
            WrongStateError: Others use a platform with another catalog than the one asked for.
        """
        from floe_core.telemetry import span

        from floe_ops.targets import lease
        from floe_ops.targets.local.starting import Start
        from floe_ops.targets.local.supervisor import Supervisor

        more = on_demand(self.name, services)
        owner = lease.from_environment()
        with span("platform ensure", **{"floe.target": self.name}):
            if Supervisor(self.layout).pid() is None:
                Start(self.layout, self._say).fetch_tools()
            with self._locked():
                known = lease.living(self.layout.owners)
                lease.add(self.layout.owners, owner)
                start = Start(self.layout, self._say)
                try:
                    platform = start.ensure(shared=bool(known - {owner}))
                    self.took = start.took
                    if more:
                        platform = self._with_dagster(platform, shared=bool(known - {owner}))
                except BaseException:
                    if owner not in known:
                        lease.remove(self.layout.owners, owner)
                    raise
            self._send_spool(platform)
        return platform

    def find(self) -> Platform | None:
        """The running platform, or None; starts nothing. A catalog named in `FLOE_POLARIS_URL` takes precedence."""
        from floe_ops.targets.local import credentials, outside, record
        from floe_ops.targets.local.supervisor import Supervisor

        found, secrets = record.load(self.layout.record), credentials.load(self.layout.secrets)
        if found is None or secrets is None or Supervisor(self.layout).pid() is None:
            return None
        platform = found.platform(secrets)
        elsewhere = outside.read(os.environ, found.own_urls())
        return dataclasses.replace(
            platform,
            catalog_kind="polaris-url" if elsewhere.urls else platform.catalog_kind,
            urls=platform.urls | elsewhere.urls,
            client_id=elsewhere.secrets.get("polaris-client-id", platform.client_id),
            secrets={name: elsewhere.secrets.get(name, value) for name, value in platform.secrets.items()},
        )

    def down(self) -> bool:
        """End every process of the platform, whoever uses it, and keep its data; that is so, whatever ran before.

        Raises:
            NotReadyError: A process outlived its kill, or another one is busy with the platform.
        """
        from floe_ops.targets import lease
        from floe_ops.targets.local.ending import end

        with self._locked():
            lease.clear(self.layout.owners)
            end(self.layout)
        return True

    def reset(self) -> None:
        """End every process and wipe the data.

        Raises:
            NotReadyError: As for `down`.
        """
        self.down()
        with self._locked():
            shutil.rmtree(self.layout.data, ignore_errors=True)
            shutil.rmtree(self.layout.run, ignore_errors=True)

    def release(self, pid: int) -> None:
        """Forget the owner `pid`; when it was the last one, end the platform and wait until all of it is gone.

        Raises:
            NotReadyError: As for `down`.
        """
        from floe_ops.targets import lease
        from floe_ops.targets.local.ending import end

        if not self.layout.owners.is_dir():
            return
        with self._locked():
            lease.remove(self.layout.owners, str(pid))
            if not lease.living(self.layout.owners):
                end(self.layout)

    def status(self) -> list[ServiceStatus]:
        """Every service: its state, process, port, age and how often it was started again."""
        from floe_ops.targets.local.status import look

        return look(self.layout, self.find())

    def holdings(self) -> str:
        """The folder of the data."""
        return f"{self.layout.data} with all buckets and catalogs"

    def logs(self, service: str, count: int, *, follow: bool) -> Iterator[str]:
        """The last lines of the services' log files, those of an ended platform too; then what comes.

        Raises:
            UsageError: There is no such service.
        """
        from floe_ops.targets.local import logs

        files = logs.files(self.layout, service)
        yield from logs.last(files, count)
        if follow:
            yield from logs.follow(files)

    def doctor(self) -> list[Finding]:
        """What this machine has and lacks for the services."""
        from floe_ops.targets.local.doctor import examine

        return examine(self)

    def _with_dagster(self, platform: Platform, *, shared: bool) -> Platform:
        from floe_ops.targets.local.demand import Demand

        demand = Demand(self.layout, self._say)
        found = demand.ensure(platform, shared=shared)
        self.took = {**self.took, **demand.took}
        return found

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        try:
            self.layout.lock.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.layout.lock, timeout=LOCK_S):
                yield
        except Timeout:
            raise NotReadyError(
                "another process is busy with the platform",
                where=str(self.layout.lock),
                why=f"it did not finish within {LOCK_S:g} s",
                remedy="wait for it, or end it and try again",
            ) from None
        except OSError as error:
            full = error.errno == NO_SPACE
            raise FloeError(
                "the platform's files cannot be written",
                where=str(error.filename or self.layout.state),
                why=error.strerror or str(error),
                remedy="free some disk space" if full else "make the folder writable for yourself",
            ) from error

    def _send_spool(self, platform: Platform) -> None:
        """Send the spans that were made before there was a collector."""
        from floe_telemetry_otlp import spool

        result = spool.flush(platform.urls["otlp-http"], self.layout.state / "spool")
        for note in result.notes:
            self._say(note)
