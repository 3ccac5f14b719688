"""The services of the local platform: what is executed, with which configuration and environment.

Everything listens on loopback, telemetry of every tool is off, and secrets are in files that only the owner can
read: in a service's spec (`guard.py` makes them its environment) or in SeaweedFS's own configuration.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from floe_ops.services import services
from floe_ops.targets.local.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_ops.targets.local.catalog import CatalogServer
    from floe_ops.targets.local.layout import Layout

LEASE = "lease"  # the watcher that ends the platform with its owners
REGION = "us-east-1"
# Ports that the services need among themselves; any free one will do.
INNER_PORTS = (
    *("weed-master", "weed-master-grpc", "weed-volume", "weed-volume-grpc", "weed-filer", "weed-filer-grpc"),
    *("weed-s3-grpc", "weed-admin", "jaeger-query-grpc"),
)
# SeaweedFS's maintenance worker looks for its master at this distance, whatever port that was given.
PAIRS = {"weed-admin": ("weed-admin-grpc", 10_000)}
MAX_VOLUMES = 200  # each bucket takes some
VOLUME_MB = 256
TRACES_KEPT = 20_000
COLLECTOR_MIB = 256


@dataclass(frozen=True)
class Program:
    """One service for the guard: `files` are written beside it first, by absolute path."""

    name: str
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    cwd: Path = Path("/")
    files: dict[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Inputs:
    """What the rendering depends on.

    Attributes:
        layout: Where files go.
        ports: Port by name: the endpoints of `services.toml` and `INNER_PORTS`.
        secrets: Values by name, see `credentials.new`.
        tools: Path by tool: weed, jaeger, otelcol.
        catalog: The server that speaks Polaris's protocol where it is started here.
    """

    layout: Layout
    ports: Mapping[str, int]
    secrets: Mapping[str, str]
    tools: Mapping[str, Path]
    catalog: CatalogServer


def wanted_ports(names: list[str]) -> dict[str, int | None]:
    """The ports that the services `names` need: the defaults of `services.toml`, None where any will do."""
    known = services()
    endpoints: dict[str, int | None] = {port: n for name in names for port, n in known[name].ports.items()}
    return endpoints | dict.fromkeys(INNER_PORTS)


def render(names: list[str], inputs: Inputs) -> list[Program]:
    """The programs of the services `names`, and the watcher."""
    makers = {"s3": object_store, "polaris": catalog, "otel": collector, "jaeger": jaeger}
    return [*(makers[name](inputs) for name in names), watcher(inputs)]


def object_store(inputs: Inputs) -> Program:
    """SeaweedFS in one process; its Iceberg catalog, WebDAV and pages are off, its inner parts want signed tokens."""
    port, run, sockets = inputs.ports, inputs.layout.run, inputs.layout.sockets
    home = run / "weed"
    data = inputs.layout.data / "s3"
    options = {
        "dir": os.path.relpath(data, home),  # a list: a comma in the project's own path would split it
        "ip": HOST,
        "ip.bind": HOST,
        "s3.config": home / "s3.json",
        "s3.localSocket": sockets / "s3.sock",
        "filer.localSocket": sockets / "filer.sock",
        "master.telemetry": "false",
        "master.volumeSizeLimitMB": VOLUME_MB,
        "volume.max": MAX_VOLUMES,
        "volume.preStopSeconds": 0,
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "admin.ui": "false",
        "webdav": "false",
        "s3.port": port["s3"],
        "s3.port.grpc": port["weed-s3-grpc"],
    }
    for part in ("master", "volume", "filer", "admin"):
        options |= {f"{part}.port": port[f"weed-{part}"], f"{part}.port.grpc": port[f"weed-{part}-grpc"]}
    return Program(
        "s3",
        [str(inputs.tools["weed"]), "mini", *(f"-{name}={value}" for name, value in options.items())],
        env=environment(inputs.layout, TMPDIR=str(sockets)),  # it puts sockets and logs there
        cwd=home,
        files={
            home / "s3.json": _seaweed_identity(inputs.secrets),
            home / "security.toml": _seaweed_security(inputs.secrets),
            data / ".keep": "",
        },
    )


def catalog(inputs: Inputs) -> Program:
    """The catalog server, Apache Polaris or the stand-in, with the object store's credentials."""
    secret = inputs.secrets["polaris-client-secret"]
    state = inputs.layout.data / "polaris"
    return Program(
        "polaris",
        inputs.catalog.command(inputs.ports["polaris"], inputs.ports["polaris-management"], state),
        env=environment(
            inputs.layout,
            POLARIS_BOOTSTRAP_CREDENTIALS=f"POLARIS,{inputs.secrets['polaris-client-id']},{secret}",
            AWS_ENDPOINT_URL_S3=f"http://{HOST}:{inputs.ports['s3']}",
            AWS_ACCESS_KEY_ID=inputs.secrets["s3-access-key"],
            AWS_SECRET_ACCESS_KEY=inputs.secrets["s3-secret-key"],
            AWS_REGION=REGION,
            AWS_EC2_METADATA_DISABLED="true",
            PYTHONUNBUFFERED="1",
        ),
        cwd=inputs.layout.run,
        files={state / ".keep": ""},
    )


def collector(inputs: Inputs) -> Program:
    """The OpenTelemetry collector: OTLP in, batches of 100 ms out to Jaeger; held back, not lost, while it restarts."""
    port = inputs.ports
    exporter = "otlp_http/jaeger"
    retry = {"enabled": True, "initial_interval": "100ms", "max_interval": "2s", "max_elapsed_time": "120s"}
    config = {
        "receivers": {"otlp": _otlp_receiver(port["otlp-grpc"], port["otlp-http"])},
        "processors": {
            "memory_limiter": {"check_interval": "1s", "limit_mib": COLLECTOR_MIB},
            "batch": {"timeout": "100ms"},
        },
        "exporters": {exporter: {"endpoint": f"http://{HOST}:{port['jaeger-otlp-http']}", "retry_on_failure": retry}},
        "extensions": {"health_check": {"endpoint": f"{HOST}:{port['otel-health']}"}},
        "service": {
            "extensions": ["health_check"],
            "pipelines": {
                "traces": {
                    "receivers": ["otlp"],
                    "processors": ["memory_limiter", "batch"],
                    "exporters": [exporter],
                }
            },
            "telemetry": _quiet(),
        },
    }
    return _configured("otel", inputs.tools["otelcol"], config, inputs.layout)


def jaeger(inputs: Inputs) -> Program:
    """Jaeger with its traces in memory: they are for looking at a run, and start and end cost nothing."""
    port = inputs.ports
    config = {
        "receivers": {"otlp": _otlp_receiver(port["jaeger-otlp-grpc"], port["jaeger-otlp-http"])},
        "exporters": {"jaeger_storage_exporter": {"trace_storage": "memory"}},
        "extensions": {
            "jaeger_storage": {"backends": {"memory": {"memory": {"max_traces": TRACES_KEPT}}}},
            "jaeger_query": {
                "enable_tracing": False,  # of itself, among our traces; and it would hold up its own end
                "storage": {"traces": "memory"},
                "http": {"endpoint": f"{HOST}:{port['jaeger-query']}"},
                "grpc": {"endpoint": f"{HOST}:{port['jaeger-query-grpc']}"},
            },
        },
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query"],
            "pipelines": {
                "traces": {
                    "receivers": ["otlp"],
                    "processors": [],
                    "exporters": ["jaeger_storage_exporter"],
                }
            },
            "telemetry": _quiet(),
        },
    }
    return _configured("jaeger", inputs.tools["jaeger"], config, inputs.layout)


def watcher(inputs: Inputs) -> Program:
    """The program that ends the platform when its last owner is gone."""
    layout = inputs.layout
    module = "floe_ops.targets.local.watcher"
    return Program(
        LEASE,
        [sys.executable, "-m", module, str(layout.owners), str(layout.lock)],
        env=environment(layout),
        cwd=layout.run,
    )


def _otlp_receiver(grpc: int, http: int) -> dict[str, Any]:
    return {"protocols": {"grpc": {"endpoint": f"{HOST}:{grpc}"}, "http": {"endpoint": f"{HOST}:{http}"}}}


def _quiet() -> dict[str, Any]:
    """The collector's own telemetry: warnings in the log, no metrics and so no port for them."""
    return {"metrics": {"level": "none"}, "logs": {"level": "warn"}}


def _configured(name: str, tool: Path, config: dict[str, Any], layout: Layout) -> Program:
    path = layout.run / f"{name}.yaml"
    return Program(
        name,
        [str(tool), "--config", str(path)],
        env=environment(layout),
        cwd=layout.run,
        files={path: yaml.safe_dump(config, sort_keys=False)},
    )


def _seaweed_identity(secrets: Mapping[str, str]) -> str:
    """The one identity that may do everything; whoever signs with other keys, or not at all, is refused."""
    keys = {"accessKey": secrets["s3-access-key"], "secretKey": secrets["s3-secret-key"]}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    return json.dumps({"identities": [{"name": "floe", "credentials": [keys], "actions": actions}]})


def _seaweed_security(secrets: Mapping[str, str]) -> str:
    """Keys by which master, volume server, filer and gateway know each other; without them anybody reads the filer."""
    tables = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
    return "".join(f'[{table}]\nkey = "{secrets["s3-inner-key"]}"\n' for table in tables)


def environment(layout: Layout, **more: str) -> dict[str, str]:
    """A service's environment: what any program needs, and nothing that the caller happens to have set."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME", "LANG") if name in os.environ}
    fixed = {"TZ": "UTC", "DO_NOT_TRACK": "1", "TMPDIR": str(layout.run), "HOME": str(layout.run)}
    return fixed | kept | more
