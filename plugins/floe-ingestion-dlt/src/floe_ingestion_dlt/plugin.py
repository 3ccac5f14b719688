"""The ingestion plugin `dlt`: files, REST APIs and databases, loaded by dlt in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from floe_core.plugins import IngestionError, IngestionPlugin, IngestionRequest, IngestionResult, PluginConfig
from floe_core.telemetry import span
from pydantic import ValidationError

from floe_ingestion_dlt.config import DltConfig

if TYPE_CHECKING:
    from pydantic import BaseModel

    from floe_ingestion_dlt.sources import DltSource


class DltPlugin(IngestionPlugin[DltConfig]):
    """dlt, with its state in the destination and its files in the working directory of the load."""

    name: ClassVar[str] = "dlt"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.ingestion.dlt"
    description: ClassVar[str] = "files, REST APIs and databases into DuckDB or Parquet, by dlt"
    config_model: ClassVar[type[PluginConfig]] = DltConfig

    @property
    def source_model(self) -> type[DltSource]:
        """The settings of a source; imported here, because building its models takes longer than all the rest."""
        from floe_ingestion_dlt.sources import DltSource

        return DltSource

    def tables(self, source: BaseModel) -> tuple[str, ...]:
        """The tables of a source, which are written down in its settings."""
        return tuple(one.table for one in source.tables) if isinstance(source, self.source_model) else ()

    def load(self, request: IngestionRequest) -> IngestionResult:
        """See `IngestionPlugin.load`.

        Raises:
            IngestionError: The load failed, or the source's settings are wrong.
            SecretUnavailableError: A reference points to nothing.
            UsageError: The pipeline or the dataset has a name that dlt would rewrite.
        """
        from floe_ingestion_dlt import engine

        source = _checked(request, self.source_model)

        job = engine.prepared(request, source, self.config)
        kind = source.root.kind
        with span(
            "dlt load", **{"dlt.pipeline": job.pipeline, "dlt.source": kind, "dlt.dataset": request.dataset}
        ) as now:
            result = engine.run(job)
            for table, rows in result.rows.items():
                now.set_attribute(f"dlt.rows.{table}", rows)
            return result


def _checked(request: IngestionRequest, model: type[DltSource]) -> DltSource:
    if isinstance(request.source, model):
        return request.source
    try:
        return model.model_validate(request.source)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise IngestionError(
            f"the source of {request.pipeline} is written wrongly",
            where=".".join(map(str, first["loc"])),
            why=first["msg"],
            remedy="see the source model of the plugin: `floe schema` prints it",
        ) from None
