"""Fixtures of floe_core's tests: a copy of the example product to break, and plugins that are made up on the spot."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from floe_core.plugins import PluginType
from floe_core.registry import PluginEntry

DATA = Path(__file__).parent / "data"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A folder with `manifest.yaml` and the product `orders/floe.yaml`."""
    return Path(shutil.copytree(DATA, tmp_path / "example"))


@pytest.fixture
def edit() -> Callable[[Path, str, str], None]:
    """Replaces text in a file; text that is not there is a mistake in the test."""

    def replace(path: Path, old: str, new: str) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {path}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    return replace


@pytest.fixture
def plugin_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Callable[..., PluginEntry], None, None]:
    """Writes a module with a plugin class and gives its declaration; the module is forgotten afterwards."""
    folder = tmp_path / "plugin-modules"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    made: list[str] = []

    def write(kind: PluginType, name: str, body: str, *, attribute: str = "Plugin") -> PluginEntry:
        module = f"made_up_plugin_{len(made)}"
        made.append(module)
        (folder / f"{module}.py").write_text(textwrap.dedent(body), encoding="utf-8")
        return PluginEntry(kind, name, f"{module}:{attribute}", f"floe-{kind}-{name}", "1.2.3")

    yield write
    for module in made:
        sys.modules.pop(module, None)
