"""The suite of orchestrators finds each breach of the contract, and nothing in one that keeps it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from floe_core.plugins import NoConfig, OrchestratorError, OrchestratorPlugin
from floe_core.testing import OrchestratorConformance

Failing = Callable[..., set[str]]


class Sound(OrchestratorPlugin[NoConfig]):
    name, version, floe_api_version = "engine", "1.0.0", "1.0"
    remedy = "make one"

    def definitions(self, product_dir: Path) -> Any:
        raise OrchestratorError("there is no product", where=str(product_dir), remedy=self.remedy)


class Speechless(Sound):
    remedy = ""


class Lenient(Sound):
    def definitions(self, product_dir: Path) -> Any:
        return [] if (product_dir / "floe.yaml").exists() else super().definitions(product_dir)


class Crashing(Sound):
    def definitions(self, product_dir: Path) -> Any:
        return sorted(product_dir.iterdir()) or super().definitions(product_dir)


class Untidy(Sound):
    def definitions(self, product_dir: Path) -> Any:
        if product_dir.is_dir():
            (product_dir / "target").mkdir(exist_ok=True)
        return super().definitions(product_dir)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Sound, set()),
        (Speechless, {"a_refusal_can_be_acted_upon"}),
        (Lenient, {"a_broken_product_is_told"}),
        (Crashing, {"no_folder_is_told"}),
        (Untidy, {"a_refusal_leaves_nothing_behind"}),
    ],
)
def test_each_breach_is_found(failing: Failing, kind: type[Sound], found: set[str]) -> None:
    failed = failing(OrchestratorConformance, kind(NoConfig()))
    assert found <= failed
    assert bool(found) == bool(failed), failed
