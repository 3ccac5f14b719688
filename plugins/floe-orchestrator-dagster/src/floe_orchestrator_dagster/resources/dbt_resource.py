"""dbt for Dagster: the parsed project, and the resource that runs it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dagster_dbt import DbtCliResource, DbtProject
from floe_core.plugins import DbtCommand, DBTPlugin, DbtRequest, NoConfig, PluginType
from floe_core.plugins.orchestrator import OrchestratorError
from floe_core.registry import Registry
from floe_core.telemetry import span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_orchestrator_dagster.product import Product

_SOURCES = ("*.sql", "*.yml", "*.yaml", "*.csv", "*.py", "*.md")
_DEFAULT_TARGET = "duckdb"


def dbt_project(product: Product) -> DbtProject:
    """The product's dbt project with a manifest that is not older than its sources.

    A fresh manifest is taken as it is, so that a code location loads quickly; else the project is parsed in
    process, by the platform's dbt plugin.

    Raises:
        DbtProjectError, DbtTargetError: the project cannot be parsed.
        OrchestratorError: dbt wrote no manifest.
    """
    target_path = product.state / "target"
    project = DbtProject(
        project_dir=product.folder,
        target_path=target_path,
        profiles_dir=product.profiles_dir,
        target=product.target or None,
    )
    if not _is_fresh(project.manifest_path, product):
        with span("dagster.parse", **{"floe.product.name": product.spec.metadata.name}):
            _parse(product, target_path)
    if not project.manifest_path.is_file():
        raise OrchestratorError(
            "dbt wrote no manifest", where=str(project.manifest_path), remedy="run `dbt parse` in the project"
        )
    return project


def dbt_resource(project: DbtProject) -> DbtCliResource:
    """The resource that runs `project` with the dbt of this environment, also where it is not on PATH."""
    beside = Path(sys.executable).with_name("dbt")
    executable = str(beside) if beside.is_file() else "dbt"
    return DbtCliResource(project_dir=project, dbt_executable=executable)


@contextmanager
def surroundings(product: Product) -> Iterator[None]:
    """The product's environment variables while dbt is started; given back as they were."""
    before = {name: os.environ.get(name) for name in product.environment}
    os.environ.update(product.environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _is_fresh(manifest: Path, product: Product) -> bool:
    if not manifest.is_file():
        return False
    written = manifest.stat().st_mtime_ns
    places = [product.profiles_dir / "profiles.yml", *_sources(product.folder)]
    return all(place.stat().st_mtime_ns <= written for place in places if place.is_file())


def _sources(folder: Path) -> Iterator[Path]:
    for pattern in _SOURCES:
        yield from (path for path in folder.rglob(pattern) if "target" not in path.relative_to(folder).parts)


def _parse(product: Product, target_path: Path) -> None:
    engine = cast("type[DBTPlugin[NoConfig]]", Registry().load(PluginType.DBT, "core"))  # the registry checks it
    target_path.mkdir(parents=True, exist_ok=True)
    request = DbtRequest(
        DbtCommand.PARSE,
        product.folder,
        product.profiles_dir,
        product.target or _DEFAULT_TARGET,
        target_path,
        environment=product.environment,
    )
    engine(NoConfig()).run(request).raise_for_failure()
