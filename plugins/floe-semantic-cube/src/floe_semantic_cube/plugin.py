"""The semantic layer plugin `cube`: data model files for a Cube server."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from floe_core.plugins import (
    HealthState,
    HealthStatus,
    Lane,
    PluginConfig,
    SemanticLayerError,
    SemanticLayerPlugin,
    SemanticRequest,
    SemanticResult,
    TargetRequest,
)
from floe_core.spec.secrets import resolved
from floe_core.telemetry import span

from floe_semantic_cube.config import CubeConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_core.spec.secrets import SecretRef


class CubePlugin(SemanticLayerPlugin[CubeConfig]):
    """Cube: one file a cube and one a view, below `cubes/` and `views/` of the output folder."""

    name: ClassVar[str] = "cube"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.semantic_layer.cube"
    description: ClassVar[str] = "dbt models as Cube data model files"
    config_model: ClassVar[type[PluginConfig]] = CubeConfig

    def generate(self, request: SemanticRequest) -> SemanticResult:
        """See `SemanticLayerPlugin.generate`.

        Raises:
            SemanticLayerError: As the ABC says.
        """
        from floe_semantic_cube import datamodel, files

        with span("cube generate", **{"floe.output_dir": request.output_dir.name}) as current:
            texts, notes = datamodel.build(request, self.config)
            kept, removed = files.replace(request.output_dir, texts)
            current.set_attribute("floe.files", len(kept))
            current.set_attribute("floe.files_removed", len(removed))
            return SemanticResult(kept, removed, tuple(notes))

    def datasource(self, request: TargetRequest) -> Mapping[str, str | SecretRef]:
        """Cube's environment variables; see `SemanticLayerPlugin.datasource`.

        Raises:
            SemanticLayerError: The Iceberg lane is asked for and not configured.
        """
        path = self.config.database_path.replace("{product}", request.product).replace("{lane}", request.lane.value)
        source: dict[str, str | SecretRef] = {"CUBEJS_DB_TYPE": "duckdb"}
        if request.lane is Lane.DUCKDB:
            source["CUBEJS_DB_DUCKDB_DATABASE_PATH"] = path
        else:
            source |= self._iceberg(request)
        server: dict[str, str | SecretRef] = {
            "CUBEJS_API_SECRET": self.config.api_secret,
            "CUBEJS_TELEMETRY": "false",
        }
        name = self.config.data_source
        if name == "default":
            return {**server, **source}
        # Cube asks for a default source too; the same one serves as both.
        own = {key.replace("CUBEJS_", f"CUBEJS_DS_{name.upper()}_", 1): value for key, value in source.items()}
        return {**server, "CUBEJS_DATASOURCES": f"default,{name}", **source, **own}

    def _iceberg(self, request: TargetRequest) -> dict[str, str | SecretRef]:
        source = self.config.iceberg
        if source is None:
            raise SemanticLayerError(
                f"Cube cannot read the Iceberg lane of {request.product}",
                where="plugins.semantic_layer.config.iceberg",
                why="nothing says how the object store is reached",
                remedy="fill in `iceberg`, or serve the DuckDB lane",
            )
        variables: dict[str, str | SecretRef] = {
            "CUBEJS_DB_DUCKDB_EXTENSIONS": "httpfs,iceberg",
            "CUBEJS_DB_DUCKDB_S3_REGION": source.region,
            "CUBEJS_DB_DUCKDB_S3_USE_SSL": str(source.use_ssl).lower(),
            "CUBEJS_DB_DUCKDB_S3_URL_STYLE": source.url_style,
            "CUBEJS_DB_DUCKDB_S3_ACCESS_KEY_ID": source.access_key,
            "CUBEJS_DB_DUCKDB_S3_SECRET_ACCESS_KEY": source.secret_key,
        }
        if source.endpoint:
            variables["CUBEJS_DB_DUCKDB_S3_ENDPOINT"] = source.endpoint
        return variables

    def health_check(self, timeout_s: float) -> HealthStatus:
        """Cube's own readiness: `/readyz` answers 200 once the data model compiles and the source answers."""
        url = resolved(self.config.server_url)
        if not url:
            return HealthStatus(HealthState.HEALTHY, "no server is configured; files are all there is")
        from floe_semantic_cube.server import ready

        return ready(url, timeout_s)
