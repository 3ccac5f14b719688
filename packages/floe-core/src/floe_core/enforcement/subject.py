"""What the checks look at: one product, its platform, the chosen plugins, and the dbt project where it is at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from floe_core.dbt_manifest.reading import NO_PROJECT, Reading
from floe_core.spec.governance import Governance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from floe_core.dbt_manifest import DbtManifest, DbtModel, DbtProject
    from floe_core.plugins.interface import PluginType
    from floe_core.registry import ResolvedPlugin
    from floe_core.spec.load import Document
    from floe_core.spec.platform import PlatformManifest
    from floe_core.spec.product import FloeSpec, Transform


@dataclass(frozen=True)
class Subject:
    """What is looked at.

    Attributes:
        product: The product with its places.
        manifest: The manifest with its places.
        plugins: The chosen plugins, and no others that happen to be installed.
        project: The dbt project's files; None where there is none beside the product.
        dbt: dbt's own manifest of it, or why it cannot be used.
    """

    product: Document[FloeSpec]
    manifest: Document[PlatformManifest]
    plugins: Mapping[PluginType, ResolvedPlugin]
    project: DbtProject | None = None
    dbt: Reading = field(default_factory=lambda: Reading(None, NO_PROJECT))

    @property
    def governance(self) -> Governance:
        """The platform's rules; the defaults where it states none."""
        return self.manifest.model.governance or Governance()

    @property
    def transforms(self) -> tuple[Transform, ...]:
        """The product's models."""
        return self.product.model.transforms

    def dbt_models(self, manifest: DbtManifest) -> Iterator[tuple[int, Transform, DbtModel]]:
        """The transforms that dbt knows, each with its place in `transforms` and dbt's model."""
        for index, transform in enumerate(self.transforms):
            model = manifest.models.get(transform.name)
            if model is not None:
                yield index, transform, model
