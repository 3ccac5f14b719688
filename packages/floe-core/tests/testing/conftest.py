"""Runs one test of a suite as pytest would, and says whether the plugin passed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Held = Callable[..., set[str]]


@pytest.fixture
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Held:
    """The names of the tests that a plugin fails, of those that its suite adds to the base's, without `test_`.

    Fixtures that a test asks for and that are not given are those of the caller; each test has a folder, a working
    directory and an environment of its own.
    """

    def run(suite: type[Any], plugin: object, *names: str, **fixtures: object) -> set[str]:
        own = [name for name in vars(suite) if name.startswith("test_")]
        failed: set[str] = set()
        for name in [f"test_{one}" for one in names] or own:
            method = getattr(suite(), name)
            given = {"plugin": plugin, "tmp_path": tmp_path / name, **fixtures}
            (tmp_path / name).mkdir()
            asked = {one: given[one] if one in given else request.getfixturevalue(one) for one in _arguments(method)}
            with monkeypatch.context() as own_environment:
                own_environment.chdir(Path.cwd())  # so that it is given back
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
