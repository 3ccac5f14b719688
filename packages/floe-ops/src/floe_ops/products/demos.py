"""The demo products of this checkout, and what the automation does with one."""

from __future__ import annotations

import contextlib
import tempfile
from typing import TYPE_CHECKING

from floe_core.errors import UsageError
from floe_core.plugins import DbtCommand, DbtRequest, Lane

from floe_ops import project
from floe_ops.products.build import engine
from floe_ops.products.places import DATABASE_ENV, Places

if TYPE_CHECKING:
    from pathlib import Path


def folders(name: str | None = None) -> tuple[Path, ...]:
    """The folders of all demo products, or of the one that is named.

    Raises:
        UsageError: There is no such product; names those there are.
    """
    found = {path.parent.name: path.parent for path in sorted((project.root() / "demo").glob("*/floe.yaml"))}
    if name is None:
        return tuple(found.values())
    if name not in found:
        raise UsageError(
            f"there is no demo product named {name!r}",
            where="--product",
            why=f"the products are: {', '.join(found)}",
            remedy="name one of them, or leave --product out for all",
        )
    return (found[name],)


def check_profile(product_dir: Path, lane: Lane, *, home: Path | None = None) -> Path:
    """`dbt debug` with the product's own profiles.yml, from a folder that has nothing to do with it.

    Returns:
        The database file that was opened for it.

    Raises:
        DbtError: The profile, the project or the connection is not right; dbt's own words say what.
        DbtTargetError: The profile has no target of the lane's name.
    """
    from floe_core.compilation import compile_product

    artifacts = compile_product(product_dir)
    places = Places.of(artifacts.metadata.product_name, lane, home)
    places.database.parent.mkdir(parents=True, exist_ok=True)
    database = places.database.with_name("debug.duckdb")
    asked = DbtRequest(
        command=DbtCommand.DEBUG,
        project_dir=product_dir.resolve(),
        profiles_dir=product_dir.resolve(),
        target=lane.value,
        target_path=places.dbt,
        environment={DATABASE_ENV: str(database)},
    )
    with tempfile.TemporaryDirectory() as elsewhere, contextlib.chdir(elsewhere):
        engine(artifacts).run(asked).raise_for_failure()
    return database
