"""A product that a scripted dbt builds: what dbt answers is written down, everything around it is real."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from floe_core.plugins import PluginType, SemanticResult
from floe_core.registry import PluginEntry, Registry, discover
from floe_core.running import Listener, Order, Outcome, Step, Work, carry_out

SCRIPTED_DBT = """
    import json
    from datetime import UTC, datetime, timedelta
    from floe_core.plugins import DbtNode, DBTPlugin, DbtProjectError, DbtResult, DbtTest, NoConfig

    class Plugin(DBTPlugin[NoConfig]):
        name = "scripted"
        version = "0.1.0"
        floe_api_version = "1.0"
        tracer_name = "scripted"

        def engine_version(self):
            return "0.0.1"

        def run(self, request, *, on_node=None, on_start=None):
            script = json.loads((request.project_dir / "script.json").read_text())
            with (request.project_dir / "asked.jsonl").open("a") as stream:
                said = {"command": request.command, "select": request.select, "environment": dict(request.environment)}
                stream.write(json.dumps({**said, "target": request.target, "refresh": request.full_refresh}) + "\\n")
            if request.command == script.get("stop_at"):
                raise KeyboardInterrupt
            if request.command == script.get("break_at"):
                raise DbtProjectError("dbt could not start", where="models/a.sql:3", why="it is broken")
            request.target_path.mkdir(parents=True, exist_ok=True)
            (request.target_path / "manifest.json").write_text(script.get("manifest", '{"nodes": {}}'))
            now = datetime(2026, 1, 1, tzinfo=UTC)
            nodes = []
            for name, status in script.get(request.command, {}).items():
                kind = {"seed": "seed", "run": "model", "test": "test"}[request.command]
                begun = DbtNode(f"{kind}.orders.{name}", name, kind, "started", started_at=now)
                node = DbtNode(
                    f"{kind}.orders.{name}", name, kind, status, now, now + timedelta(seconds=0.25),
                    message="no such column" if status in {"error", "fail"} else "",
                    path=f"models/{name}.sql", compiled=f"target/{name}.sql:7",
                    test=DbtTest("unique", script["about"][name]) if name in script.get("about", {}) else None,
                )
                for told, one in ((on_start, begun), (on_node, node)):
                    if told is not None:
                        told(one)
                nodes.append(node)
            good = all(node.status in {"success", "pass", "warn"} for node in nodes)
            return DbtResult(request.command, good, 0.1, tuple(nodes))
"""

HEAD = """
    import json, pathlib, threading, time
    from floe_core.errors import *
    from floe_core.plugins import *
    from pydantic import SecretStr

    class Config(PluginConfig):
        folder: str = ""

"""


class Heard(Listener):
    """Keeps everything that is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.notes: list[str] = []
        self.files = 0

    def began(self, step: str) -> None:
        self.told.append(f"> {step}")

    def ended(self, step: Step) -> None:
        self.told.append(f"< {step.name}")

    def node_began(self, node: Any) -> None:
        self.told.append(f"+ {node.name}")

    def node_ended(self, node: Any) -> None:
        self.told.append(f"- {node.name} {node.status}")

    def described(self, result: SemanticResult) -> None:
        self.files = len(result.files)

    def noted(self, note: str) -> None:
        self.notes.append(note)


@dataclass
class Bench:
    """The product `orders`, a manifest that chooses the plugins that were put in, and a registry that knows them."""

    folder: Path
    write: Callable[..., PluginEntry]
    entries: list[PluginEntry] = field(default_factory=list)
    plugins: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    heard: Heard = field(default_factory=Heard)

    @property
    def product(self) -> Path:
        return self.folder / "orders"

    def add(self, kind: PluginType, body: str) -> None:
        """Choose a plugin whose class has `body`; its configuration takes `folder`."""
        abc = {
            PluginType.LINEAGE_BACKEND: "LineageBackendPlugin",
            PluginType.QUALITY: "QualityPlugin",
            PluginType.ALERT_CHANNEL: "AlertChannelPlugin",
            PluginType.SECRETS: "SecretsPlugin",
            PluginType.TELEMETRY_BACKEND: "TelemetryBackendPlugin",
            PluginType.INGESTION: "IngestionPlugin",
            PluginType.SEMANTIC_LAYER: "SemanticLayerPlugin",
            PluginType.CATALOG: "CatalogPlugin",
            PluginType.STORAGE: "StoragePlugin",
        }[kind]
        said = "name = 'made-up'; version = '0.1.0'; floe_api_version = '1.0'; tracer_name = 't'; config_model = Config"
        text = f"{HEAD}    class Plugin({abc}[Config]):\n        {said}\n{body}"
        self.entries.append(self.write(kind, "made-up", text))
        self.plugins[kind.value] = {"type": "made-up", "config": {"folder": str(self.folder)}}

    def choose(self, kind: PluginType, name: str, **config: Any) -> None:
        """Choose an installed plugin."""
        self.entries += [one for one in discover() if (one.type, one.name) == (kind, name)]
        self.plugins[kind.value] = {"type": name, "config": config}

    def script(self, **answers: Any) -> None:
        """What dbt answers: statuses of nodes by command, or a command at which it breaks or is stopped.

        `manifest` is the text of dbt's manifest, `about` the model of a test by the test's name.
        """
        (self.product / "script.json").write_text(json.dumps(answers), encoding="utf-8")

    def carry_out(self, work: Work = Work.RUN, **order: Any) -> Outcome:
        path, registry = self.platform()
        return carry_out(Order(work, self.product, path, **order), registry=registry, listener=self.heard)

    def platform(self) -> tuple[Path, Registry]:
        """The manifest, written, and what knows the plugins that it chooses."""
        manifest = {
            "apiVersion": "floe.dev/v1",
            "kind": "Manifest",
            "metadata": {"name": "bench", "version": "1.0.0", "owner": "us"},
            "plugins": {"compute": {"type": "duckdb"}, "dbt": {"type": "scripted"}, **self.plugins},
            **self.extra,
        }
        path = self.folder / "manifest.yaml"
        path.write_text(yaml.safe_dump(manifest), encoding="utf-8")
        compute = [one for one in discover() if one.type is PluginType.COMPUTE]
        return path, Registry([*compute, *self.entries])

    def asked(self) -> list[dict[str, Any]]:
        """What dbt was asked, in order."""
        lines = (self.product / "asked.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def kept(self, name: str) -> list[dict[str, Any]]:
        """The lines that a made-up plugin wrote into the folder."""
        path = self.folder / name
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


@pytest.fixture
def bench(tmp_path: Path, example: Path, plugin_module: Callable[..., PluginEntry]) -> Bench:
    made = Bench(example, plugin_module)
    made.entries.append(plugin_module(PluginType.DBT, "scripted", SCRIPTED_DBT))
    made.script(
        seed={"raw": "success"},
        run={"bronze_orders": "success", "silver_orders": "success"},
        test={"unique_orders": "pass", "not_null_orders": "pass"},
    )
    return made
