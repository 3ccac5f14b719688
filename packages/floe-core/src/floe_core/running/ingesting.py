"""The first step of a run: the platform's ingestion plugin loads the product's sources into the build's database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from floe_core.errors import FloeError
from floe_core.plugins import IngestionError, IngestionRequest
from floe_core.spec.secrets import STORE_KEY
from floe_core.telemetry import span

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from floe_core.compilation import CompiledArtifacts
    from floe_core.plugins import IngestionPlugin
    from floe_core.running.places import Places
    from floe_core.running.publishing import Publisher
    from floe_core.spec.secrets import SecretStore


def load(  # noqa: PLR0913 - who takes part, and where
    plugin: IngestionPlugin[Any],
    artifacts: CompiledArtifacts,
    places: Places,
    database: Path | None,
    *,
    store: SecretStore | None,
    publisher: Publisher | None = None,
) -> Iterator[tuple[str, int]]:
    """Load each source, one after the other; gives each table, as `dataset.table`, and its rows.

    Args:
        plugin: The loader.
        artifacts: The compiled product.
        places: Where the loader keeps what it needs while it works.
        database: The database file of the build; None for an engine that has none.
        store: Where the sources' references `{secret: NAME}` are looked up.
        publisher: Brings each table into the catalog; None where the models read the database.

    Raises:
        IngestionError: A load failed.
        CatalogError: What was loaded did not reach the catalog.
        FloeError: A reference points to nothing.
    """
    slug = artifacts.metadata.product_name.replace("-", "_")
    for source in artifacts.sources:
        request = IngestionRequest(
            pipeline=f"{slug}_{source.name}",
            source=plugin.source_model.model_validate(source.config, context={STORE_KEY: store}),
            dataset=source.dataset,
            work_dir=places.lane / "ingestion",
            base_dir=places.product_dir,
            database=database,
        )
        named = {"floe.source.name": source.name, "floe.source.dataset": source.dataset}
        with span(f"ingest {source.name}", **named):
            result = _loaded(plugin, request, source.name)
        for table, rows in sorted(result.items()):
            if publisher is not None:  # also where nothing was new: an earlier run may have been killed before this
                with span(f"publish {source.dataset}.{table}", **named):
                    publisher.publish(source.dataset, table)
            yield f"{source.dataset}.{table}", rows


def _loaded(plugin: IngestionPlugin[Any], request: IngestionRequest, source: str) -> dict[str, int]:
    try:
        return dict(plugin.load(request).rows)
    except FloeError:
        raise
    except Exception as error:  # a plugin is foreign code and can raise anything; its words may quote a secret
        raise IngestionError(
            f"the source {source} could not be loaded",
            why=f"the plugin {plugin.name} raised {type(error).__name__}",
            remedy="report it to the plugin's authors",
        ) from error
