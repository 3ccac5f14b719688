"""What a target is, and what it hands to those who use the platform."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

from floe_core.errors import UsageError

from floe_ops.services import CLUSTER, LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from floe_ops.targets.seen import Finding, ServiceStatus

REPORT_LINES = 1000
CatalogKind = Literal["polaris-url", "polaris-home", "polaris-image", "stand-in"]
"""Who speaks Polaris's protocol: a server named by its URL, an unpacked distribution, a container of Apache Polaris,
or the stand-in (as a process or in a container)."""


@dataclass(frozen=True)
class Platform:
    """A running platform: URLs by endpoint name (`services.toml` names them), and how to sign in.

    Attributes:
        target: `local` or `cluster`.
        catalog_kind: Which server speaks Polaris's protocol here; the verdict repeats it.
        urls: Endpoint name to URL, for example `{"s3": "http://127.0.0.1:9000", "polaris": …}`.
        bucket: The warehouse bucket.
        catalog: The Polaris catalog's name.
        region: The object store's region.
        client_id: The Polaris principal.
        catalog_s3_endpoint: Where the catalog itself reaches the object store, and what it therefore tells its clients;
            empty where that is the same URL as `urls["s3"]`.
        secrets: Values by name (`polaris-client-secret`, `s3-access-key`, `s3-secret-key`); never printed.
    """

    target: str
    catalog_kind: CatalogKind
    urls: dict[str, str]
    bucket: str = "floe-iceberg"
    catalog: str = "floe-e2e"
    region: str = "us-east-1"
    client_id: str = "root"
    catalog_s3_endpoint: str = ""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)

    def environment(self) -> dict[str, str]:
        """Environment for child processes: the usual names, so that every client finds its way by itself."""
        elsewhere = {"FLOE_CATALOG_S3_ENDPOINT": self.catalog_s3_endpoint} if self.catalog_s3_endpoint else {}
        return {
            **elsewhere,
            "FLOE_TARGET": self.target,
            "FLOE_POLARIS_URL": self.urls["polaris"],
            "FLOE_POLARIS_MANAGEMENT_URL": self.urls["polaris-management"],
            "FLOE_CATALOG": self.catalog,
            "FLOE_BUCKET": self.bucket,
            "POLARIS_CLIENT_ID": self.client_id,
            "POLARIS_CLIENT_SECRET": self.secrets["polaris-client-secret"],
            "AWS_ENDPOINT_URL_S3": self.urls["s3"],
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.secrets["s3-access-key"],
            "AWS_SECRET_ACCESS_KEY": self.secrets["s3-secret-key"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.urls["otlp-http"],
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        }


class Target(ABC):
    """A place where the platform can run.

    Args:
        say: Takes one line for each thing that happens, for people.

    Attributes:
        name: `local` or `cluster`.
        took: Seconds until each part was ready in the last `ensure`; empty when it ran already.
    """

    name: str

    def __init__(self, say: Callable[[str], None] | None = None) -> None:
        self.took: dict[str, float] = {}
        self._say = say or (lambda _line: None)

    @abstractmethod
    def ensure(self, *services: str) -> Platform:
        """Bring up what is not up and return the platform when every service is ready; idempotent.

        The platform belongs to the run in `FLOE_RUN_PID` and ends with it, or to nobody and stays.

        Args:
            services: Those that the target starts on demand alone, and that are wanted too, for example `dagster`;
                where it has them always this says nothing new.

        Raises:
            UsageError: There is no such service.
            MissingToolError: A tool cannot be had.
            NotReadyError: A service did not become ready in time; holds its last log lines.
        """

    @abstractmethod
    def find(self) -> Platform | None:
        """The running platform, or None; starts nothing."""

    @abstractmethod
    def down(self) -> bool:
        """End the platform, whoever uses it, and keep its data; False where there was none."""

    @abstractmethod
    def reset(self) -> None:
        """End the platform and wipe its data."""

    @abstractmethod
    def release(self, pid: int) -> None:
        """Forget the owner `pid`; when it was the last one, end what runs for owners only and wait until it is gone."""

    @abstractmethod
    def holdings(self) -> str:
        """What `reset` would wipe, in words."""

    @abstractmethod
    def status(self) -> list[ServiceStatus]:
        """Every service and how it is."""

    @abstractmethod
    def logs(self, service: str, count: int, *, follow: bool) -> Iterator[str]:
        """The last `count` lines of a service's logs, of all services where none is named; then what comes.

        Raises:
            UsageError: There is no such service.
        """

    def report(self, folder: Path) -> None:
        """Write below `folder` what tells why something failed: how every service is, and the last of their logs.

        Raises:
            FloeError: The platform cannot be looked at.
        """
        self._report(folder, lambda line: line)

    def _report(self, folder: Path, hide: Callable[[str], str]) -> None:
        """Status and logs; `hide` takes out of a line what no file may hold."""
        folder.mkdir(parents=True, exist_ok=True)
        rows = [asdict(row) for row in self.status()]
        (folder / "status.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
        with (folder / "logs.txt").open("w", encoding="utf-8") as file:
            file.writelines(f"{hide(line)}\n" for line in self.logs("", REPORT_LINES, follow=False))

    @abstractmethod
    def doctor(self) -> list[Finding]:
        """What this machine has and lacks for this target; changes nothing."""


def current(name: str | None = None, say: Callable[[str], None] | None = None) -> Target:
    """The target asked for by name, else by `FLOE_TARGET`, else `local`.

    Raises:
        UsageError: No target has that name.
    """
    wanted = name or os.environ.get("FLOE_TARGET") or LOCAL
    if wanted == LOCAL:
        from floe_ops.targets.local import LocalTarget

        return LocalTarget(say)
    if wanted == CLUSTER:
        from floe_ops.targets.cluster import ClusterTarget

        return ClusterTarget(say)
    raise UsageError(
        f"there is no target named {wanted!r}",
        where="--target or FLOE_TARGET",
        why=f"the targets are: {LOCAL}, {CLUSTER}",
        remedy="leave FLOE_TARGET unset, or set it to one of them",
    )
