"""What every build needs is imported once, before workers are forked: they share it instead of doing it themselves.

Importing dbt is not all: it generates code for its classes when they are used first. So a project of a few lines is
parsed, which opens no database and starts no thread: dbt's static parser is left out, because it starts some, and
whatever forks after that waits for them for ever.
"""

from __future__ import annotations

import importlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.plugins import DbtCommand, DbtRequest, Lane

if TYPE_CHECKING:
    from floe_core.compilation import CompiledArtifacts

_READERS = {Lane.DUCKDB: ("duckdb",), Lane.ICEBERG: ("duckdb", "pyarrow", "floe_catalog_polaris.iceberg")}
_PROJECT = {
    "dbt_project.yml": 'name: warm\nversion: "1.0.0"\nconfig-version: 2\nprofile: warm\n',
    "models/one.sql": "select id, cast('2026-01-01' as date) as day from {{ ref('raw') }}\n",
    "models/two.sql": "{{ config(materialized='table') }}\nselect id from {{ ref('one') }}\n",
    "models/all.yml": """
version: 2
models:
  - name: one
    description: One.
    columns: [{ name: id, description: Id., data_type: integer, data_tests: [unique, not_null] }]
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


def up(artifacts: CompiledArtifacts, lane: Lane) -> None:
    """Import and use what builds of `lane` need; the variables that its profile reads are set.

    Args:
        artifacts: Any compiled product of the platform.
        lane: Where will be built.

    Raises:
        DbtError: dbt cannot even parse a project of a few lines.
    """
    from floe_ops.products.build import engine

    for name in _READERS[lane]:
        importlib.import_module(name)
    (profile,) = artifacts.dbt_profiles.values()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, text in _PROJECT.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        profiles = {"warm": {"target": lane.value, "outputs": profile["outputs"]}}
        (folder / "profiles.yml").write_text(json.dumps(profiles), encoding="utf-8")
        asked = DbtRequest(
            DbtCommand.PARSE, folder, folder, lane.value, folder / "made", environment={"DBT_STATIC_PARSER": "false"}
        )
        engine(artifacts).run(asked).raise_for_failure()
