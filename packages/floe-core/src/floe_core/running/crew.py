"""The plugins that take part in a build, as the manifest chose and the artifacts keep them, for one life."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from floe_core.plugins import PluginType
from floe_core.registry import Registry
from floe_core.registry.dependencies import needs
from floe_core.registry.lifecycle import Lifecycle, LifecycleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from floe_core.compilation import CompiledArtifacts
    from floe_core.plugins import (
        AlertChannelPlugin,
        CatalogPlugin,
        ComputePlugin,
        DBTPlugin,
        IngestionPlugin,
        LineageBackendPlugin,
        QualityPlugin,
        SecretsPlugin,
        SemanticLayerPlugin,
        StoragePlugin,
        TelemetryBackendPlugin,
    )
    from floe_core.registry import ResolvedPlugin

WATCHERS: Final = frozenset({PluginType.TELEMETRY_BACKEND, PluginType.LINEAGE_BACKEND, PluginType.ALERT_CHANNEL})
"""They are told about a build; one that does not work is noted and never fails it."""
WORKERS: Final = frozenset({PluginType.DBT, PluginType.SECRETS, PluginType.QUALITY})
"""A build needs them."""
LOADERS: Final = frozenset({PluginType.COMPUTE, PluginType.INGESTION})
"""A build that loads sources needs them too."""
RUNNERS: Final = frozenset({PluginType.SEMANTIC_LAYER})
"""A run needs them too, a test does not."""
KEEPERS: Final = frozenset({PluginType.CATALOG, PluginType.STORAGE})
"""A build in the Iceberg lane needs them too."""


@dataclass(frozen=True)
class Crew:
    """Who takes part in one build; None where the manifest chooses nobody.

    Attributes:
        dbt: Builds and tests the models.
        secrets: Knows what the dbt profile reads and the environment does not hold.
        telemetry: Takes the spans.
        lineage: Takes the run events.
        quality: Judges the tests.
        alerts: Tells people about a failure.
        compute: Says where the tables lie; only where sources are loaded.
        ingestion: Loads the sources; only where the product has some.
        catalog: Names the tables; only in the Iceberg lane, as the one below.
        storage: Holds them.
        semantic_layer: Describes the tables to a metrics server; only in a run.
    """

    dbt: DBTPlugin[Any]
    secrets: SecretsPlugin[Any] | None = None
    telemetry: TelemetryBackendPlugin[Any] | None = None
    lineage: LineageBackendPlugin[Any] | None = None
    quality: QualityPlugin[Any] | None = None
    alerts: AlertChannelPlugin[Any] | None = None
    compute: ComputePlugin[Any] | None = None
    ingestion: IngestionPlugin[Any] | None = None
    catalog: CatalogPlugin[Any] | None = None
    storage: StoragePlugin[Any] | None = None
    semantic_layer: SemanticLayerPlugin[Any] | None = None

    @classmethod
    def of(cls, plugins: Mapping[PluginType, ResolvedPlugin]) -> Crew:
        """The crew among instances that a registry made, which has checked that each is of its type."""

        def one(kind: PluginType) -> Any:
            plugin = plugins.get(kind)
            return plugin.instance if plugin is not None else None

        return cls(
            dbt=one(PluginType.DBT),
            secrets=one(PluginType.SECRETS),
            telemetry=one(PluginType.TELEMETRY_BACKEND),
            lineage=one(PluginType.LINEAGE_BACKEND),
            quality=one(PluginType.QUALITY),
            alerts=one(PluginType.ALERT_CHANNEL),
            compute=one(PluginType.COMPUTE),
            ingestion=one(PluginType.INGESTION),
            catalog=one(PluginType.CATALOG),
            storage=one(PluginType.STORAGE),
            semantic_layer=one(PluginType.SEMANTIC_LAYER),
        )


@contextmanager
def aboard(
    artifacts: CompiledArtifacts,
    registry: Registry | None,
    noted: Callable[[str], None],
    also: frozenset[PluginType] = frozenset(),
    without: frozenset[PluginType] = frozenset(),
) -> Iterator[Crew]:
    """The crew of a compiled product, started before the block and stopped after it.

    Args:
        artifacts: The compiled product.
        registry: Where the plugins come from; those that are installed by default.
        noted: Told in one sentence about a watcher that did not start, and so is left out.
        also: The types that take part besides the watchers and the workers.
        without: The watchers that do not take part.

    Raises:
        RegistryError: A plugin cannot be had, or what it needs is not chosen; compiling refuses that before.
        LifecycleError: A plugin that the build needs did not start.
    """
    known = registry if registry is not None else Registry()
    chosen = _chosen(artifacts, known, (WATCHERS - without) | WORKERS | also)
    lifecycle = Lifecycle(chosen.values())
    try:
        report = lifecycle.start()
        for outcome in report.failures:
            if outcome.entry.type not in WATCHERS:
                raise LifecycleError(report)
            noted(f"left out: {outcome}")
            del chosen[outcome.entry.type]
        yield Crew.of(chosen)
    finally:
        for outcome in lifecycle.stop().failures:
            noted(f"not closed: {outcome}")


def _chosen(
    artifacts: CompiledArtifacts, registry: Registry, types: frozenset[PluginType]
) -> dict[PluginType, ResolvedPlugin]:
    """The plugins that take part, and those that they need."""
    store = artifacts.plugins.get(PluginType.SECRETS.value)
    secrets = registry.create(PluginType.SECRETS, store.name, store.config) if store else None
    find = getattr(secrets.instance, "get", None) if secrets is not None else None
    found = {PluginType.SECRETS: secrets} if secrets is not None else {}
    waiting = [kind for kind in PluginType if kind in types and _wanted(artifacts, kind)]
    while waiting:
        kind = waiting.pop()
        record = artifacts.plugins.get(kind.value)
        if record is None or kind in found:
            continue
        found[kind] = registry.create(kind, record.name, record.config, secrets=find)
        waiting += needs(found[kind])
    return found


def _wanted(artifacts: CompiledArtifacts, kind: PluginType) -> bool:
    """Whether the manifest wants the plugin of a type that it chooses to take part in builds."""
    if kind is PluginType.TELEMETRY_BACKEND:
        return artifacts.tracing.enabled
    return kind is not PluginType.LINEAGE_BACKEND or artifacts.lineage.enabled
