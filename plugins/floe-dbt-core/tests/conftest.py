"""A dbt project of three files, in a folder with a space in its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from floe_core.plugins import DbtCommand, DbtRequest, NoConfig
from floe_dbt_core.plugin import DBTCorePlugin

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "dbt_project.yml": "name: tiny\nversion: '1.0'\nprofile: tiny\nflags: {send_anonymous_usage_stats: false}\n",
    "profiles.yml": (
        "tiny:\n  target: duckdb\n  outputs:\n"
        "    duckdb: {type: duckdb, path: \"{{ env_var('FLOE_DUCKDB_PATH') }}\", threads: 2}\n"
        "    other: {type: duckdb, path: ':memory:'}\n"
    ),
    "seeds/raw_orders.csv": "order_id,amount\n1,10.10\n2,0.20\n3,5.00\n",
    "models/orders.sql": "select\n    order_id,\n    amount\nfrom {{ ref('raw_orders') }}\n",
    "models/totals.sql": "select sum(amount) as total\nfrom {{ ref('orders') }}\n",
    "models/schema.yml": (
        "models:\n  - name: orders\n    columns:\n      - {name: order_id, data_tests: [unique, not_null]}\n"
    ),
}


class Tiny:
    """The project, and requests for it."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "a project"
        self.database = folder / "data base.duckdb"
        self.target_path = folder / "out put" / "target"
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def request(self, command: DbtCommand, target: str = "duckdb") -> DbtRequest:
        return DbtRequest(
            command=command,
            project_dir=self.project,
            profiles_dir=self.project,
            target=target,
            target_path=self.target_path,
            environment={"FLOE_DUCKDB_PATH": str(self.database)},
        )


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return Tiny(tmp_path)


@pytest.fixture(scope="session")
def plugin() -> DBTCorePlugin:
    return DBTCorePlugin(NoConfig())
