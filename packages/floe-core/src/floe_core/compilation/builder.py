"""Puts the artifacts together; takes everything it needs as arguments and reads nothing but SOURCE_DATE_EPOCH."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from floe_core.compilation.artifacts import (
    ColumnRecord,
    CompilationMetadata,
    CompiledArtifacts,
    DbtManifestRecord,
    DestinationRecord,
    InheritanceRecord,
    LineageRecord,
    LoggingRecord,
    ModelRecord,
    PluginRecord,
    PortRecord,
    RetentionRecord,
    ScheduleRecord,
    SensorRecord,
    SourceRecord,
    TracingRecord,
)
from floe_core.compilation.references import references
from floe_core.errors import UsageError
from floe_core.plugins.interface import PluginType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel

    from floe_core.dbt_manifest import Reading
    from floe_core.enforcement.result import EnforcementResultSummary
    from floe_core.registry import ResolvedPlugin
    from floe_core.spec.load import Document
    from floe_core.spec.platform import Observability, PlatformManifest
    from floe_core.spec.product import Destination, FloeSpec, OutputPort, SourceSpec, Transform

EPOCH_ENV: Final = "SOURCE_DATE_EPOCH"
HEALTH_INTERVAL_S: Final = 60
# Without a service of their own, or not of the product's data path.
_UNWATCHED: Final = frozenset({PluginType.ORCHESTRATOR, PluginType.RBAC, PluginType.DBT, PluginType.QUALITY})


def build_artifacts(  # noqa: PLR0913 - one argument for what each stage made
    product: Document[FloeSpec],
    manifest: Document[PlatformManifest],
    *,
    plugins: Mapping[PluginType, ResolvedPlugin],
    sources: Mapping[str, BaseModel],
    dbt: Reading,
    dbt_profiles: dict[str, Any],
    enforcement_result: EnforcementResultSummary,
) -> CompiledArtifacts:
    """The artifacts of one product.

    Args:
        product: The loaded product.
        manifest: The loaded manifest.
        plugins: What RESOLVE chose.
        sources: The checked configuration of each source, by name.
        dbt: dbt's manifest, or why it is not used.
        dbt_profiles: What COMPILE made.
        enforcement_result: What ENFORCE found; there are no artifacts without it.

    Raises:
        UsageError: SOURCE_DATE_EPOCH is set and is no number of seconds.
    """
    spec, default = product.model, manifest.model.plugins.compute.type
    return CompiledArtifacts(
        metadata=_metadata(product, manifest),
        inheritance=tuple(_inheritance(manifest)),
        plugins={kind.value: _plugin(plugin) for kind, plugin in plugins.items()},
        models=tuple(_model(transform, default, dbt) for transform in spec.transforms),
        sources=tuple(_source(one, sources) for one in spec.sources),
        schedule=ScheduleRecord(**spec.schedule.model_dump()) if spec.schedule else None,
        sensors=tuple(_sensors(spec.metadata.name, plugins)),
        output_ports=tuple(_port(port, spec.metadata.owner or "") for port in spec.output_ports),
        destinations=tuple(_destination(one) for one in spec.destinations),
        retention=_retention(spec, manifest.model),
        **_observed(manifest.model.observability),
        dbt_profiles=dbt_profiles,
        dbt_manifest=_dbt(spec, dbt),
        secret_references=_references(spec, manifest.model, plugins, sources),
        enforcement_result=enforcement_result,
    )


def _observed(observability: Observability) -> dict[str, Any]:
    return {
        "tracing": TracingRecord(**observability.tracing.model_dump(exclude_none=True)),
        "lineage": LineageRecord(enabled=observability.lineage.enabled),
        "logging": LoggingRecord(level=observability.logging.level, format=observability.logging.format),
    }


def _references(
    spec: FloeSpec,
    manifest: PlatformManifest,
    plugins: Mapping[PluginType, ResolvedPlugin],
    sources: Mapping[str, BaseModel],
) -> tuple[str, ...]:
    configurations = [plugin.instance.config for plugin in plugins.values()]
    everywhere = [configurations, [*sources.values()], spec.destinations, manifest.observability]
    return tuple(sorted({str(one) for one in references(everywhere)}))


def _source(source: SourceSpec, configurations: Mapping[str, BaseModel]) -> SourceRecord:
    return SourceRecord(name=source.name, dataset=source.dataset, config=_dump(configurations[source.name]))


def _metadata(product: Document[FloeSpec], manifest: Document[PlatformManifest]) -> CompilationMetadata:
    from importlib.metadata import version

    raws = (*product.raws, *manifest.raws)
    # Lengths first, so that no two sets of files give the same bytes.
    digest = hashlib.sha256(f"{' '.join(str(len(raw)) for raw in raws)}\n".encode() + b"".join(raws))
    metadata = product.model.metadata
    return CompilationMetadata(
        product_name=metadata.name,
        product_version=metadata.version,
        product_description=metadata.description,
        product_owner=metadata.owner or "",
        platform_name=manifest.model.metadata.name,
        platform_version=manifest.model.metadata.version,
        floe_version=version("floe-core"),
        source_hash=f"sha256:{digest.hexdigest()}",
        compiled_at=_epoch(),
    )


def _epoch() -> datetime | None:
    text = os.environ.get(EPOCH_ENV, "")
    if not text:
        return None
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"{EPOCH_ENV} is no number of seconds",
            where=f"environment variable {EPOCH_ENV}",
            why=f"it is {text[:40]!r}",
            remedy="unset it, or give seconds since 1970 in UTC",
        ) from None


def _inheritance(manifest: Document[PlatformManifest]) -> Iterator[InheritanceRecord]:
    for document in (manifest, *manifest.parents):
        metadata, scope = document.model.metadata, document.model.scope
        yield InheritanceRecord(
            name=metadata.name,
            version=metadata.version,
            scope=None if scope is None else str(scope),
            sha256=hashlib.sha256(document.raw).hexdigest(),
        )


def _dump(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def _plugin(plugin: ResolvedPlugin) -> PluginRecord:
    return PluginRecord(
        name=plugin.entry.name,
        version=plugin.entry.version,
        api_version=plugin.instance.floe_api_version,
        distribution=plugin.entry.distribution,
        config=_dump(plugin.instance.config),
    )


def _model(transform: Transform, default_compute: str, dbt: Reading) -> ModelRecord:
    known = dbt.manifest.models.get(transform.name) if dbt.manifest else None
    return ModelRecord(
        name=transform.name,
        tier=transform.tier,
        description=transform.description,
        compute=transform.compute or default_compute,
        depends_on=transform.depends_on,
        tags=transform.tags,
        quality_checks=transform.quality_checks,
        tests=tuple(sorted(known.tests)) if known else (),
    )


def _sensors(product: str, plugins: Mapping[PluginType, ResolvedPlugin]) -> Iterator[SensorRecord]:
    orchestrator = plugins.get(PluginType.ORCHESTRATOR)
    if orchestrator is not None:
        interval = getattr(orchestrator.instance.config, "health_interval_s", HEALTH_INTERVAL_S)
        watched = tuple(kind.value for kind in plugins if kind not in _UNWATCHED)
        name = f"{product.replace('-', '_')}_when_healthy"
        yield SensorRecord(name=name, kind="health", interval_s=interval, plugins=watched)


def _port(port: OutputPort, owner: str) -> PortRecord:
    columns = tuple(ColumnRecord(**column.model_dump(mode="json")) for column in port.columns)
    return PortRecord(name=port.name, description=port.description, owner=port.owner or owner, columns=columns)


def _destination(destination: Destination) -> DestinationRecord:
    return DestinationRecord(**destination.model_dump(mode="json"))


def _retention(spec: FloeSpec, manifest: PlatformManifest) -> RetentionRecord | None:
    """The product's own, or the least that the platform asks for."""
    if spec.retention is not None:
        return RetentionRecord(days=spec.retention.days, keep_snapshots=spec.retention.keep_snapshots)
    rules = manifest.governance
    if rules is None or (rules.data_retention_days is None and rules.snapshot_keep_last is None):
        return None
    return RetentionRecord(days=rules.data_retention_days, keep_snapshots=rules.snapshot_keep_last or 1)


def _dbt(spec: FloeSpec, dbt: Reading) -> DbtManifestRecord:
    if dbt.manifest is None:
        return DbtManifestRecord(used=False, why=dbt.why)
    known = [dbt.manifest.models[one.name] for one in spec.transforms if one.name in dbt.manifest.models]
    return DbtManifestRecord(
        used=True,
        why="",
        dbt_version=dbt.manifest.dbt_version,
        models=len(known),
        tests=sum(bool(one.tests) for one in known),
    )
