"""What every build needs is imported once, before workers are forked: they share it instead of doing it themselves.

Importing dbt is not all: it generates code for its classes and compiles its macros when they are used first. So a
project of a few lines is parsed and, in a database file, built and tested. Whatever forks while a thread is at work
may wait for it for ever; dbt and DuckDB end theirs with each command, and what leaves threads behind is left out:
dbt's static parser, which unit tests use too.

The project is kept: dbt parses its own macros again only where they have changed, which takes longer than the rest.
"""

from __future__ import annotations

import importlib
import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from floe_core.plugins import DbtCommand, DbtRequest, Lane

from floe_ops.products.places import DATABASE_ENV

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.compilation import CompiledArtifacts

_READERS = {Lane.DUCKDB: ("duckdb",), Lane.ICEBERG: ("duckdb", "pyarrow", "floe_catalog_polaris.iceberg")}
# What is built in a catalog is seen by others, so there the small project is no more than parsed.
_COMMANDS: dict[Lane, tuple[tuple[DbtCommand, tuple[str, ...]], ...]] = {
    Lane.DUCKDB: (
        (DbtCommand.SEED, ()),
        (DbtCommand.RUN, ()),
        (DbtCommand.TEST, ("test_type:data",)),
    ),
    Lane.ICEBERG: ((DbtCommand.PARSE, ()),),
}
_PROJECT = {
    "dbt_project.yml": 'name: warm\nversion: "1.0.0"\nconfig-version: 2\nprofile: warm\n',
    "models/one.sql": "select id, cast('2026-01-01' as date) as day from {{ ref('raw') }}\n",
    "models/two.sql": "{{ config(materialized='table') }}\nselect id from {{ ref('one') }}\n",
    "models/all.yml": """
version: 2
models:
  - name: one
    description: One.
    columns:
      - name: id
        description: Id.
        data_type: integer
        data_tests:
          - unique
          - not_null
          - accepted_values: { arguments: { values: [1], quote: false } }
          - relationships: { arguments: { to: ref('two'), field: id } }
  - name: two
    config: { contract: { enforced: true } }
    columns: [{ name: id, data_type: integer, constraints: [{ type: not_null }] }]
unit_tests:
  - name: ids
    model: two
    given: [{ input: ref('one'), rows: [{ id: 1 }] }]
    expect: { rows: [{ id: 1 }] }
""",
    "seeds/raw.csv": "id\n1\n",
    "tests/none.sql": "select * from {{ ref('two') }} where id < 0\n",
}


def up(artifacts: CompiledArtifacts, lane: Lane, kept: Path) -> None:
    """Import and use what builds of `lane` need; the variables that its profile reads are set.

    Args:
        artifacts: Any compiled product of the platform.
        lane: Where will be built.
        kept: The folder that the small project is kept in, of this lane alone.

    Raises:
        DbtError: dbt cannot even build a project of a few lines.
    """
    from floe_ops.products.build import engine

    for name in _READERS[lane]:
        importlib.import_module(name)
    dbt = engine(artifacts)
    (profile,) = artifacts.dbt_profiles.values()
    with _room(kept) as folder:
        profiles = {"warm": {"target": lane.value, "outputs": profile["outputs"]}}
        for name, text in {**_PROJECT, "profiles.yml": json.dumps(profiles)}.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        database = folder / "warm.duckdb"
        for left in folder.glob(f"{database.name}*"):  # by one that was killed
            left.unlink()
        environment = {"DBT_STATIC_PARSER": "false", DATABASE_ENV: str(database)}
        for command, select in _COMMANDS[lane]:
            asked = DbtRequest(
                command, folder, folder, lane.value, folder / "made", select=select, environment=environment
            )
            dbt.run(asked).raise_for_failure()


@contextmanager
def _room(kept: Path) -> Iterator[Path]:
    """The kept folder; one of our own while another process works in it."""
    kept.mkdir(parents=True, exist_ok=True)
    lock = FileLock(kept / "lock", blocking=False)
    try:
        with lock:
            yield kept
    except Timeout:
        with tempfile.TemporaryDirectory() as temporary:
            yield Path(temporary)
