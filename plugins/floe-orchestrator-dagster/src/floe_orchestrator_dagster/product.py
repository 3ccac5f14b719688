"""A product as the orchestrator sees it: its description, its folder, and where its runs keep their files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.plugins.orchestrator import OrchestratorError
from floe_core.spec.load import PRODUCT_FILE, load_product

if TYPE_CHECKING:
    from floe_core.spec.product import FloeSpec

STATE_ENV = "FLOE_PRODUCT_STATE"
"""Folder of a product's files; profiles refer to it by this name."""

DATABASE_ENV = "FLOE_DUCKDB_PATH"
"""The database file, for a product's own profile; without it that would put the file into the sources."""

DEFAULT_TARGET = "duckdb"
"""The lane that needs no service."""


@dataclass(frozen=True)
class Product:
    """One product.

    Attributes:
        spec: Its floe.yaml.
        folder: The folder of floe.yaml and of the dbt project, absolute.
        state: Where dbt's artifacts and the product's files go, absolute; never below `folder` by default.
        target: The dbt profile's target, which is the lane's name.
    """

    spec: FloeSpec
    folder: Path
    state: Path
    target: str = DEFAULT_TARGET

    @property
    def slug(self) -> str:
        """The product's name in the form that Dagster takes for jobs, schedules and asset keys."""
        return self.spec.metadata.name.replace("-", "_")

    @property
    def resource(self) -> str:
        """Key of the product's dbt resource: its own, so that one code location can hold several products."""
        return f"{self.slug}_dbt_project"

    @property
    def profiles_dir(self) -> Path:
        """The compiled profile where there is one, else the product's own."""
        return self.state if (self.state / "profiles.yml").is_file() else self.folder

    @property
    def tiers(self) -> dict[str, str]:
        """Tier by model name, for the transforms that say one."""
        return {transform.name: transform.tier.value for transform in self.spec.transforms if transform.tier}

    @property
    def environment(self) -> dict[str, str]:
        """What the product's profile may read while dbt runs."""
        database = os.environ.get(DATABASE_ENV) or str(self.state / f"{self.slug}.duckdb")
        return {STATE_ENV: str(self.state), DATABASE_ENV: database, "DO_NOT_TRACK": "1"}


def read_product(product_dir: Path, *, state: Path | None = None, target: str = DEFAULT_TARGET) -> Product:
    """Read the product in `product_dir`.

    Args:
        product_dir: The folder with floe.yaml and dbt_project.yml.
        state: Where runs keep their files; default: FLOE_PRODUCT_STATE, else `.floe/products/<name>` of the
            working directory.
        target: The dbt profile's target, which is the lane's name.

    Raises:
        SpecError: floe.yaml is wrong.
        OrchestratorError: there is no floe.yaml, or no dbt project.
    """
    folder = product_dir.resolve()
    if not (folder / PRODUCT_FILE).is_file():
        raise OrchestratorError(
            "there is no product",
            where=str(folder),
            why=f"no {PRODUCT_FILE} in this folder",
            remedy="name the folder of a product, or make one with `floe init`",
        )
    spec = load_product(folder).model
    if not (folder / "dbt_project.yml").is_file():
        raise OrchestratorError(
            f"product {spec.metadata.name} has nothing to run",
            where=str(folder),
            why="no dbt_project.yml beside floe.yaml",
            remedy="add the dbt project",
        )
    named = os.environ.get(STATE_ENV)
    default = Path(named) if named else Path.cwd() / ".floe" / "products" / spec.metadata.name
    return Product(spec, folder, (state or default).resolve(), target)
