"""Puts the artifacts together; takes everything it needs as arguments and reads nothing but SOURCE_DATE_EPOCH."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from floe_core.compilation.artifacts import (
    ColumnRecord,
    CompilationMetadata,
    CompiledArtifacts,
    ModelRecord,
    PluginRecord,
    PortRecord,
    ScheduleRecord,
    TracingRecord,
)
from floe_core.errors import UsageError
from floe_core.spec.secrets import SecretRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from floe_core.enforcement.result import EnforcementResultSummary
    from floe_core.plugins.interface import PluginType
    from floe_core.registry import ResolvedPlugin
    from floe_core.spec.load import Document
    from floe_core.spec.platform import PlatformManifest
    from floe_core.spec.product import FloeSpec, OutputPort, Transform

EPOCH_ENV = "SOURCE_DATE_EPOCH"


def build_artifacts(
    product: Document[FloeSpec],
    manifest: Document[PlatformManifest],
    *,
    plugins: Mapping[PluginType, ResolvedPlugin],
    dbt_profiles: dict[str, Any],
    enforcement_result: EnforcementResultSummary,
) -> CompiledArtifacts:
    """The artifacts of one product.

    Args:
        product: The loaded product.
        manifest: The loaded manifest.
        plugins: What RESOLVE chose.
        dbt_profiles: What COMPILE made.
        enforcement_result: What ENFORCE found; there are no artifacts without it.

    Raises:
        UsageError: SOURCE_DATE_EPOCH is set and is no number of seconds.
    """
    spec, schedule, tracing = product.model, product.model.schedule, manifest.model.observability.tracing
    owner, default = spec.metadata.owner or "", manifest.model.plugins.compute.type
    return CompiledArtifacts(
        metadata=_metadata(product, manifest),
        plugins={kind.value: _plugin(plugin) for kind, plugin in plugins.items()},
        models=tuple(_model(transform, default) for transform in spec.transforms),
        schedule=ScheduleRecord(**schedule.model_dump()) if schedule else None,
        output_ports=tuple(_port(port, owner) for port in spec.output_ports),
        tracing=TracingRecord(**tracing.model_dump(exclude_none=True)),
        dbt_profiles=dbt_profiles,
        secret_references=tuple(
            sorted({str(one) for plugin in plugins.values() for one in _references(plugin.instance.config)})
        ),
        enforcement_result=enforcement_result,
    )


def _metadata(product: Document[FloeSpec], manifest: Document[PlatformManifest]) -> CompilationMetadata:
    from importlib.metadata import version

    # Lengths first, so that no two pairs of files give the same bytes.
    digest = hashlib.sha256(f"{len(product.raw)} {len(manifest.raw)}\n".encode() + product.raw + manifest.raw)
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


def _plugin(plugin: ResolvedPlugin) -> PluginRecord:
    return PluginRecord(
        name=plugin.entry.name,
        version=plugin.entry.version,
        api_version=plugin.instance.floe_api_version,
        distribution=plugin.entry.distribution,
        config=plugin.instance.config.model_dump(mode="json", by_alias=True, exclude_none=True),
    )


def _model(transform: Transform, default_compute: str) -> ModelRecord:
    return ModelRecord(
        name=transform.name,
        tier=transform.tier,
        description=transform.description,
        compute=transform.compute or default_compute,
        depends_on=transform.depends_on,
        tags=transform.tags,
    )


def _port(port: OutputPort, owner: str) -> PortRecord:
    columns = tuple(ColumnRecord(**column.model_dump(mode="json")) for column in port.columns)
    return PortRecord(name=port.name, description=port.description, owner=port.owner or owner, columns=columns)


def _references(value: object) -> Iterator[SecretRef]:
    if isinstance(value, SecretRef):
        yield value
    elif isinstance(value, BaseModel):
        for _name, field in value:
            yield from _references(field)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _references(item)
