"""The suite of ingestion plugins finds each breach of the contract, and nothing in a loader that keeps it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from floe_core.plugins import (
    IngestionError,
    IngestionPlugin,
    IngestionRequest,
    IngestionResult,
    NoConfig,
    PluginConfig,
)
from floe_core.spec.secrets import SecretRef
from floe_core.testing import IngestionConformance
from pydantic import BaseModel, ValidationError

Failing = Callable[..., set[str]]
SECRET = "s3cret-behind-a-reference"  # noqa: S105 - planted
ROWS = 3


class Source(PluginConfig):
    table: str
    token: SecretRef | None = None


class Loose(BaseModel):
    table: str = "orders"


class Loader(IngestionPlugin[NoConfig]):
    """Keeps rows in a dictionary that stands for the destination."""

    name, version, floe_api_version = "loader", "1.0.0", "1.0"
    config_model: ClassVar[type[PluginConfig]] = NoConfig
    source_model: type[BaseModel] = Source

    def __init__(self, rows: Counter[str]) -> None:
        super().__init__(NoConfig())
        self.rows = rows

    def load(self, request: IngestionRequest) -> IngestionResult:
        try:
            source: Any = self.source_model.model_validate(request.source)
        except ValidationError:
            raise IngestionError(f"{request.pipeline}: wrong settings") from None
        if getattr(source, "token", None):
            raise self.failure(request)
        return self.loaded(source.table, request)

    def failure(self, request: IngestionRequest) -> Exception:
        return IngestionError(f"the load {request.pipeline} failed", why="401")

    def loaded(self, table: str, _request: IngestionRequest) -> IngestionResult:
        self.rows[table] += ROWS
        return IngestionResult({table: ROWS}, 0.1)


class Losing(Loader):
    def loaded(self, table: str, _request: IngestionRequest) -> IngestionResult:
        self.rows[table] += ROWS - 1
        return IngestionResult({table: ROWS}, 0.1)


class Forgetting(Loader):
    def loaded(self, table: str, request: IngestionRequest) -> IngestionResult:
        if not request.work_dir.exists():
            self.rows.clear()
        request.work_dir.mkdir(parents=True, exist_ok=True)
        return super().loaded(table, request)


class Littering(Loader):
    def loaded(self, table: str, request: IngestionRequest) -> IngestionResult:
        (Path.home() / ".loader").write_text("id")
        return super().loaded(table, request)


class Telling(Loader):
    def failure(self, request: IngestionRequest) -> Exception:
        return IngestionError(f"the load {request.pipeline} failed", why=f"401 for {SECRET}")


class Silent(Loader):
    def failure(self, _request: IngestionRequest) -> Exception:
        return IngestionError("something failed")


class Leaving(Loader):
    def failure(self, request: IngestionRequest) -> Exception:
        self.rows["orders"] += 1
        return super().failure(request)


class Lenient(Loader):
    source_model = Loose


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Loader, set()),
        (Losing, {"every_row_arrives", "state_is_not_bound_to_the_working_folder", "a_failure_leaves_what_was_there"}),
        (Forgetting, {"state_is_not_bound_to_the_working_folder"}),
        (Littering, {"nothing_goes_to_the_home"}),
        (Telling, {"a_failure_is_told_without_a_secret"}),
        (Silent, {"a_failure_is_told_without_a_secret"}),
        (Leaving, {"a_failure_leaves_what_was_there"}),
    ],
)
def test_each_breach_is_found(
    failing: Failing, kind: type[Loader], found: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _failing(failing, kind, tmp_path) == found


def test_loose_settings_are_found(failing: Failing, tmp_path: Path) -> None:
    assert "settings_of_a_source_are_strict" in _failing(failing, Lenient, tmp_path)


def _failing(failing: Failing, kind: type[Loader], folder: Path) -> set[str]:
    """Each test gets a destination of its own, as a fixture would give it one."""
    failed: set[str] = set()
    for name in [one.removeprefix("test_") for one in vars(IngestionConformance) if one.startswith("test_")]:
        rows: Counter[str] = Counter()
        request = IngestionRequest("shop.orders", {"table": "orders"}, "raw", folder / f"work-{name}", folder)
        broken = IngestionRequest(
            "shop.orders", {"table": "orders", "token": {"env": "X"}}, "raw", folder / "work", folder
        )
        failed |= failing(
            IngestionConformance,
            kind(rows),
            name,
            load_request=request,
            broken=broken,
            expected_rows={"orders": ROWS},
            count=rows.__getitem__,
            secret=SECRET,
        )
    return failed
