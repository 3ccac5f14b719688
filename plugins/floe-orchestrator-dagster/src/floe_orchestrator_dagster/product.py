"""A product as the orchestrator sees it: its description, its folder, its lane, and where its runs keep their files."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from floe_core.compilation import compile_product
from floe_core.compilation.write import write_atomic
from floe_core.plugins import Lane
from floe_core.plugins.orchestrator import OrchestratorError
from floe_core.spec.load import PRODUCT_FILE, load_product

if TYPE_CHECKING:
    from floe_core.compilation import CompiledArtifacts
    from floe_core.plugins import PluginType
    from floe_core.spec.product import FloeSpec

    from floe_orchestrator_dagster.resources.chosen import Chosen

STATE_ENV: Final = "FLOE_PRODUCT_STATE"
"""Folder of a product's files; profiles refer to it by this name."""

DATABASE_ENV: Final = "FLOE_DUCKDB_PATH"
"""The database file, for a product's own profile; without it that would put the file into the sources."""

LANE_ENV: Final = "FLOE_LANE"
"""The lane of a deployed code location; the one that needs no service where it is not set."""

PROFILES: Final = "profiles.yml"


@dataclass(frozen=True)
class Product:
    """One product in one lane.

    Attributes:
        spec: Its floe.yaml.
        folder: The folder of floe.yaml and of the dbt project, absolute.
        state: Where dbt's artifacts and the product's files go, absolute; never below `folder` by default, and one
            of its own for each lane.
        lane: Where its tables lie.
        artifacts: The product as the platform's manifest compiles it; None where it names no manifest, or one that
            is not on this machine.
    """

    spec: FloeSpec
    folder: Path
    state: Path
    lane: Lane = Lane.DUCKDB
    artifacts: CompiledArtifacts | None = None

    @property
    def name(self) -> str:
        """The product's name as floe.yaml has it."""
        return self.spec.metadata.name

    @property
    def slug(self) -> str:
        """The product's name in the form that Dagster takes for jobs, schedules and asset keys."""
        return self.name.replace("-", "_")

    @property
    def target(self) -> str:
        """The dbt profile's target, which is the lane's name."""
        return self.lane.value

    @property
    def resource(self) -> str:
        """Key of the product's dbt resource: its own, so that one code location can hold several products."""
        return self.resource_named("dbt_project")

    def resource_named(self, what: str) -> str:
        """Key of another resource of the product."""
        return f"{self.slug}_{what}"

    @property
    def profiles_dir(self) -> Path:
        """The compiled profile where there is one, else the product's own."""
        return self.state if (self.state / PROFILES).is_file() else self.folder

    @property
    def tiers(self) -> dict[str, str]:
        """Tier by model name, for the transforms that say one."""
        return {transform.name: transform.tier.value for transform in self.spec.transforms if transform.tier}

    @property
    def database(self) -> Path:
        """The lane's own DuckDB file."""
        return Path(os.environ.get(DATABASE_ENV) or self.state / f"{self.slug}.duckdb")

    @property
    def environment(self) -> dict[str, str]:
        """What the product's profile may read while dbt runs; no secret is in it."""
        return {STATE_ENV: str(self.state), DATABASE_ENV: str(self.database), "DO_NOT_TRACK": "1"}

    def chosen(self, kind: PluginType) -> Chosen | None:
        """The platform's plugin of a type, by name and configuration; None where the manifest chooses none."""
        from floe_orchestrator_dagster.resources.chosen import Chosen

        record = self.artifacts.plugins.get(kind.value) if self.artifacts is not None else None
        return Chosen(plugin=record.name, config=record.config) if record is not None else None


def read_product(product_dir: Path, *, state: Path | None = None, lane: Lane | str | None = None) -> Product:
    """Read the product in `product_dir`, and compile it where its platform's manifest is there.

    Args:
        product_dir: The folder with floe.yaml and dbt_project.yml.
        state: Where runs keep their files; default: FLOE_PRODUCT_STATE, else `.floe/products/<name>` of the
            working directory. The Iceberg lane has the folder `iceberg` in it.
        lane: Where the tables lie; default: FLOE_LANE, else the DuckDB file.

    Raises:
        SpecError: floe.yaml is wrong, or it cannot be compiled for its platform.
        OrchestratorError: there is no floe.yaml, no dbt project, no such lane, or the platform does not have it.
    """
    folder = product_dir.resolve()
    spec = _spec(folder)
    asked = _lane(lane)
    named = os.environ.get(STATE_ENV)
    default = Path(named) if named else Path.cwd() / ".floe" / "products" / spec.metadata.name
    home = (state or default).resolve()
    product = Product(
        spec, folder, home / asked.value if asked is Lane.ICEBERG else home, asked, _compiled(folder, spec)
    )
    _write_profile(product)
    return product


def _spec(folder: Path) -> FloeSpec:
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
    return spec


def _lane(asked: Lane | str | None) -> Lane:
    word = asked or os.environ.get(LANE_ENV) or Lane.DUCKDB
    try:
        return Lane(word)
    except ValueError:
        raise OrchestratorError(
            f"there is no lane {word!r}",
            where=LANE_ENV if asked is None else "",
            why=f"the lanes are {', '.join(Lane)}",
            remedy="name one of them",
        ) from None


def _compiled(folder: Path, spec: FloeSpec) -> CompiledArtifacts | None:
    """The compiled product: in process and each time, which takes less than comparing times of all that goes in."""
    if spec.platform is None or not (folder / spec.platform.manifest).is_file():
        return None
    return compile_product(folder)


def _write_profile(product: Product) -> None:
    """Put the compiled profile into the state folder; a file with the same text keeps its time.

    dbt's manifest counts as old when the profile is newer, and several processes load one code location.
    """
    if product.artifacts is not None:
        profiles = product.artifacts.dbt_profiles
        (profile,) = profiles.values()
        if product.target in profile["outputs"]:
            path, text = product.state / PROFILES, json.dumps(profiles, indent=2, sort_keys=True) + "\n"
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(path, text)
            return
    if product.lane is not Lane.DUCKDB:
        raise OrchestratorError(
            f"product {product.name} cannot be built in the lane {product.lane}",
            where=str(product.folder),
            why="its platform has no such lane" if product.artifacts is not None else "no platform is compiled for it",
            remedy="name a manifest with a catalog and a storage under `platform.manifest` of floe.yaml",
        )
