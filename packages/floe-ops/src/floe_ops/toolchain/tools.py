"""The tools that are built here, and the key under which each build is kept.

`toolchain/go/<tool>/` pins a tool with all its modules by hash. A build is found again by that folder's content and the
platform. The Go version is not part of the key (go.mod's `go` line is, being content): a machine that has the
tool needs no Go at all; which one built it is noted beside it.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from floe_core.errors import MissingToolError, UsageError

from floe_ops import project

LINK = "-ldflags=-s"
FLAGS = ("-trimpath", LINK, "-buildvcs=false", "-mod=readonly")


@dataclass(frozen=True)
class Tool:
    """One program.

    Attributes:
        name: Of the program and of its folder below `toolchain/go`.
        package: The Go package to build.
        minutes: Roughly, on two cores, modules not yet fetched.
        packages: How many Go packages it is made of, for the progress shown.
        space_mb: Disk that a first build takes: modules, build cache, program.
        stamps: Go variables to set, `import/path.name=value`: what the program's own releases stamp and a bare
            build of its modules leaves empty, such as the version it tells its clients.
    """

    name: str
    package: str
    minutes: float
    packages: int
    space_mb: int
    stamps: tuple[str, ...] = ()

    @property
    def flags(self) -> tuple[str, ...]:
        """How it is built: arguments of `go build`."""
        stamped = "".join(f" -X {stamp}" for stamp in self.stamps)
        return tuple(flag + stamped if flag == LINK else flag for flag in FLAGS)

    @property
    def estimate(self) -> str:
        """The first build's duration in words."""
        return f"about {self.minutes:g} minutes on 2 cores, once"

    @property
    def source(self) -> Path:
        """The folder that pins it."""
        return project.root() / "toolchain" / "go" / self.name

    @property
    def key(self) -> str:
        """What identifies a build: the content of its folder, how it is built, and for which platform.

        Raises:
            MissingToolError: The folder is not there.
        """
        files = sorted(path for path in self.source.glob("*") if path.suffix in {".mod", ".sum", ".go"})
        if not files:
            raise MissingToolError(
                f"the tool {self.name} cannot be built",
                where=str(self.source),
                why="the folder that pins it is missing or empty",
                remedy="run this inside of a whole checkout",
            )
        digest = hashlib.sha256(repr((self.flags, self.package, sys.platform, platform.machine())).encode())
        for path in files:
            content = path.read_bytes()
            digest.update(f"{path.name} {len(content)}\n".encode() + content)
        return digest.hexdigest()[:16]


KUBERNETES_STAMPS = tuple(
    f"k8s.io/{package}/version.{variable}={value}"
    for package in ("component-base", "client-go/pkg")
    for variable, value in (("gitMajor", "1"), ("gitMinor", "34"), ("gitVersion", "v1.34.4"))
)

# Helm's own releases stamp both. Left out, Helm 3 takes 1.20 for the Kubernetes it renders for where no cluster is
# asked, which every chart for newer ones refuses. Helm 4 reads that from its modules.
HELM_STAMPS = (
    "helm.sh/helm/v3/internal/version.version=v3.22.0",
    *(f"helm.sh/helm/v3/pkg/{package}.k8sVersionMajor=1" for package in ("chartutil", "lint/rules")),
    *(f"helm.sh/helm/v3/pkg/{package}.k8sVersionMinor=37" for package in ("chartutil", "lint/rules")),
)
HELM4_STAMPS = ("helm.sh/helm/v4/internal/version.version=v4.3.1",)
UNITTEST = "github.com/helm-unittest/helm-unittest"
UNITTEST_STAMPS = (
    f"{UNITTEST}/internal/build.version=1.1.2",
    "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1",
    "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=36",
)
LOCAL_PATH_STAMPS = ("main.VERSION=v0.0.30",)
GITLEAKS = "github.com/zricethezav/gitleaks/v8"
GITLEAKS_STAMPS = (f"{GITLEAKS}/version.Version=8.30.1",)

TOOLS = {
    tool.name: tool
    for tool in (
        Tool("jaeger", "github.com/jaegertracing/jaeger/cmd/jaeger", 5, 2327, 4000),
        Tool("otelcol", ".", 1.5, 880, 1500),
        Tool("crane", "github.com/google/go-containerregistry/cmd/crane", 0.5, 270, 600),
        Tool("dex", ".", 1.5, 510, 1500),
        Tool("kubernetes", ".", 6, 2750, 5500, KUBERNETES_STAMPS),
        Tool("alertmanager", "github.com/prometheus/alertmanager/cmd/alertmanager", 2, 695, 1800),
        Tool("minio", "github.com/minio/minio", 3, 1301, 2500),
        Tool("pause", ".", 0.2, 60, 300),
        Tool("coredns", ".", 1.5, 700, 1500),
        Tool("local-path-provisioner", "github.com/rancher/local-path-provisioner", 1, 600, 1200, LOCAL_PATH_STAMPS),
        Tool("helm", "helm.sh/helm/v3/cmd/helm", 1.5, 965, 2500, HELM_STAMPS),
        Tool("helm4", "helm.sh/helm/v4/cmd/helm", 1.5, 1184, 2500, HELM4_STAMPS),
        Tool("helm-unittest", f"{UNITTEST}/cmd/helm-unittest", 1, 558, 1800, UNITTEST_STAMPS),
        Tool("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", 0.3, 106, 400),
        Tool("gitleaks", GITLEAKS, 0.7, 379, 800, GITLEAKS_STAMPS),
    )
}


def tool(name: str) -> Tool:
    """The tool of that name.

    Raises:
        UsageError: There is none.
    """
    if name not in TOOLS:
        raise UsageError(
            f"there is no tool named {name!r}",
            where="floe_ops.toolchain",
            why=f"the tools are: {', '.join(TOOLS)}",
            remedy="use one of them",
        )
    return TOOLS[name]


def folder() -> Path:
    """Where tools are kept: `FLOE_TOOLS`, so that several checkouts can share one, else `.floe/tools`."""
    named = os.environ.get("FLOE_TOOLS")
    return Path(named).absolute() if named else project.root() / ".floe" / "tools"


def override(name: str) -> Path | None:
    """The program that `FLOE_TOOL_<NAME>` names in the place of ours, if any; dashes become underscores.

    Raises:
        MissingToolError: It names no program.
    """
    variable = f"FLOE_TOOL_{name.upper().replace('-', '_')}"
    named = os.environ.get(variable)
    if not named:
        return None
    path = Path(named).absolute()
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise MissingToolError(
            f"the {name} that was asked for is not there",
            where=f"{variable}={named}",
            why="it is no executable file",
            remedy=f"correct {variable}, or unset it to have {name} built",
        )
    return path
