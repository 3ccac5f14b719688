"""Runs one test of a suite as pytest would, and says whether the plugin passed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

Held = Callable[..., set[str]]


@pytest.fixture
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Held:
    """The names of the tests that a plugin fails, of those that its suite adds to the base's, without `test_`.

    Fixtures that a test asks for and that are not given are this session's; each test has its own environment.
    """

    def run(suite: type[Any], plugin: object, *names: str, **fixtures: object) -> set[str]:
        own = [name for name in vars(suite) if name.startswith("test_")]
        failed: set[str] = set()
        for name in [f"test_{one}" for one in names] or own:
            method = getattr(suite(), name)
            given = {"plugin": plugin, **fixtures}
            asked = {one: given[one] if one in given else request.getfixturevalue(one) for one in _arguments(method)}
            with monkeypatch.context() as own_environment:
                if "monkeypatch" in asked:
                    asked["monkeypatch"] = own_environment
                try:
                    method(**asked)
                except Exception:  # noqa: BLE001 - whatever a test raises, pytest counts it as failed
                    failed.add(name.removeprefix("test_"))
        return failed

    return run


def _arguments(method: Callable[..., None]) -> list[str]:
    return [name for name in inspect.signature(method).parameters if name != "self"]
