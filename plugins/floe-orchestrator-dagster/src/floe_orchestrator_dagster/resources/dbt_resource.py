"""dbt for Dagster: the resource that runs a product's project through the platform's dbt plugin, and its manifest.

It is the same program in the same process form as everywhere else on the platform, so that a run in Dagster and a
build at a desk differ in nothing; and one import a process is several times faster than a dbt process a command.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dagster import ConfigurableResource
from filelock import FileLock
from floe_core.plugins import DbtCommand, DBTPlugin, DbtProjectError, DbtRequest, NoConfig, PluginType
from floe_core.registry import Registry
from floe_core.running.surroundings import variables
from floe_core.telemetry import span
from pydantic import Field

from floe_orchestrator_dagster.resources.chosen import Chosen, secrets_plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from floe_core.plugins import DbtNode, DbtResult

    from floe_orchestrator_dagster.product import Product

_SOURCES = ("*.sql", "*.yml", "*.yaml", "*.csv", "*.py", "*.md")
_MADE = frozenset({"target", "logs", "__pycache__"})
_PARSED = "partial_parse.msgpack"
_PARSE_S = 300.0  # dbt parses thousands of models in less
_KEPT_RUNS = 20
_EXACTLY = {"DBT_INDIRECT_SELECTION": "empty"}
"""Only the tests that are named: dbt would add those that also need models which are not part of the selection."""


class DbtResource(ConfigurableResource[None]):
    """Runs dbt for one product.

    Attributes:
        project_dir: The folder with dbt_project.yml.
        profiles_dir: The folder with profiles.yml.
        state_dir: Where artifacts go: `target/` for the manifest, `runs/<id>/target/` for each run.
        target: The profile's output that is built.
        engine: Name of the platform's dbt plugin.
        environment: Variables that the profile reads, set while dbt runs; shown by Dagster, so none is a secret.
        secrets_plugin: Where the secrets that a compiled profile reads are looked up, at each run, for dbt alone.
        compiled: Whether `profiles.yml` was compiled for the product's platform.
    """

    project_dir: str
    profiles_dir: str
    state_dir: str
    target: str
    engine: str = "core"
    environment: dict[str, str] = Field(default_factory=dict)
    secrets_plugin: Chosen | None = None
    compiled: bool = False

    @classmethod
    def of(cls, product: Product) -> DbtResource:
        """The resource for `product`."""
        engine = product.chosen(PluginType.DBT)
        return cls(
            project_dir=str(product.folder),
            profiles_dir=str(product.profiles_dir),
            state_dir=str(product.state),
            target=product.target,
            engine=engine.plugin if engine is not None else "core",
            environment=product.environment,
            secrets_plugin=product.chosen(PluginType.SECRETS),
            compiled=product.profiles_dir == product.state,
        )

    def manifest(self) -> dict[str, Any]:
        """The project's manifest; parsed again only where a source is newer, so that a code location loads quickly.

        Raises:
            DbtProjectError, DbtTargetError: the project cannot be parsed, or its manifest was cut off.
        """
        path = Path(self.state_dir) / "target" / "manifest.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name("parse.lock"), timeout=_PARSE_S):  # of many who load at once, one parses
            if not self._is_fresh(path):
                with span("dagster.parse", **{"dbt.project": Path(self.project_dir).name}):
                    self._run(DbtCommand.PARSE, path.parent).raise_for_failure()
            manifest = _read(path)
        if isinstance(manifest, dict):
            return manifest
        raise DbtProjectError(
            "dbt's manifest cannot be read",
            where=str(path),
            why="it is no JSON object, so its writer was cut off",
            remedy="delete it and load the code location again",
        )

    def build(self, run_id: str, *, select: tuple[str, ...], on_node: Callable[[DbtNode], None]) -> DbtResult:
        """Seed, run and test the selected nodes; one that fails is told in the result.

        Args:
            run_id: Names the folder of the artifacts.
            select: dbt's selection, tests included; empty for all.
            on_node: Called with each node as it ends, possibly from another thread.

        Raises:
            DbtError: dbt ended before it ran any node.
        """
        runs = Path(self.state_dir) / "runs"
        target_path = runs / run_id / "target"
        target_path.mkdir(parents=True, exist_ok=True)
        _forget(runs)
        parsed = Path(self.state_dir) / "target" / _PARSED
        if parsed.is_file():
            shutil.copy(parsed, target_path / _PARSED)  # what did not change since then is not parsed again
        return self._run(DbtCommand.BUILD, target_path, select, on_node)

    def _run(
        self,
        command: DbtCommand,
        target_path: Path,
        select: tuple[str, ...] = (),
        on_node: Callable[[DbtNode], None] | None = None,
    ) -> DbtResult:
        target_path.mkdir(parents=True, exist_ok=True)
        engine = cast("type[DBTPlugin[NoConfig]]", Registry().load(PluginType.DBT, self.engine))  # checked by the ABC
        request = DbtRequest(
            command,
            Path(self.project_dir),
            Path(self.profiles_dir),
            self.target,
            target_path,
            select=select,
            environment={**self.environment, **self._secret(), **(_EXACTLY if select else {})},
        )
        return engine(NoConfig()).run(request, on_node=on_node)

    def _secret(self) -> dict[str, str]:
        """What the compiled profile reads besides, resolved now; for dbt's surroundings and nowhere else."""
        if not self.compiled:
            return {}
        profiles = json.loads((Path(self.profiles_dir) / "profiles.yml").read_text(encoding="utf-8"))
        (profile,) = profiles.values()
        output = profile["outputs"][self.target]
        return variables(output, secrets_plugin(self.secrets_plugin))

    def _is_fresh(self, manifest: Path) -> bool:
        if not manifest.is_file():
            return False
        written = manifest.stat().st_mtime_ns
        places = [Path(self.profiles_dir) / "profiles.yml", *_sources(Path(self.project_dir))]
        return all(place.stat().st_mtime_ns <= written for place in places if place.exists())


def _read(manifest: Path) -> object:
    """What the file says; None where it cannot be read."""
    try:
        return json.loads(manifest.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _forget(runs: Path) -> None:
    """Delete the artifacts of all but the last runs; Dagster's own log keeps what they came to."""
    newest_first = sorted(runs.iterdir(), key=lambda run: run.stat().st_mtime_ns, reverse=True)
    for old in newest_first[_KEPT_RUNS:]:
        shutil.rmtree(old, ignore_errors=True)


def _sources(folder: Path) -> Iterator[Path]:
    """The files that dbt reads, and the folders in it, whose time tells that a file was taken away."""
    for pattern in (*_SOURCES, "*/"):
        yield from (path for path in folder.rglob(pattern) if not _MADE & set(path.relative_to(folder).parts))
