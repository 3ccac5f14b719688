"""The plugin system as installed: fourteen types, their ABCs, discovery that imports nothing, plugins that load.

Needs no service. The number of types is never written down: it is counted from `PluginType` and held against
what stands beside it.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pkgutil
import subprocess
import sys
from typing import TYPE_CHECKING

import floe_core.plugins
import pytest
from floe_core.plugins import ABCS, PluginType
from floe_core.registry import BrokenPluginError, DuplicatePluginError, PluginNotFoundError, Registry

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.duckdb

DISCOVER = """
import json, sys
from floe_core.registry import discover
found = discover()
imported = [one.target for one in found if one.target.partition(":")[0] in sys.modules]
print(json.dumps({"found": [[one.type, one.name, one.version] for one in found], "imported": imported}))
"""

IMPORT_FIRST = """
import importlib, sys
for module in sys.argv[1:]:
    for name in [name for name in sys.modules if name.partition(".")[0] == "floe_core"]:
        del sys.modules[name]
    importlib.import_module(module)
    print(module)
"""


def discover(*paths: Path) -> dict[str, list[list[str]]]:
    """What a fresh interpreter discovers, with `paths` before everything that is installed."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    words = [sys.executable, "-c", DISCOVER]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True, timeout=60)
    answer: dict[str, list[list[str]]] = json.loads(done.stdout)
    return answer


def install(folder: Path, name: str, entry_points: str) -> None:
    """Lay down what an installer leaves of a distribution."""
    info = folder / f"{name}-7.0.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 7.0.0\n")
    (info / "entry_points.txt").write_text(entry_points)


@pytest.mark.requirement("WU6-AC1")
def test_there_are_as_many_types_as_modules_and_groups() -> None:
    modules = {one.name for one in pkgutil.iter_modules(floe_core.plugins.__path__)} - {"interface"}
    assert {kind.value for kind in PluginType} == modules
    assert len({kind.entry_point_group for kind in PluginType}) == len(PluginType)


@pytest.mark.requirement("WU6-AC2")
@pytest.mark.parametrize("kind", PluginType)
def test_every_type_maps_to_the_abc_of_its_module(kind: PluginType) -> None:
    abc = ABCS[kind]
    assert getattr(importlib.import_module(f"floe_core.plugins.{kind.value}"), abc.__name__) is abc
    assert abc.plugin_type is kind
    assert inspect.isabstract(abc)
    assert len(set(ABCS.values())) == len(PluginType)


@pytest.mark.requirement("WU6-AC2", "WU6-AC3")
def test_the_alert_channel_is_importable_from_both_places() -> None:
    from floe_core.plugins import AlertChannelPlugin
    from floe_core.plugins.alert_channel import AlertChannelPlugin as FromModule

    assert AlertChannelPlugin is FromModule is ABCS[PluginType.ALERT_CHANNEL]


@pytest.mark.requirement("WU6-AC3")
def test_every_module_of_an_abc_can_be_imported_first() -> None:
    """Each with nothing of ours imported before it, so that no cycle hides behind the order of imports."""
    modules = [f"floe_core.plugins.{kind.value}" for kind in PluginType]
    words = [sys.executable, "-c", IMPORT_FIRST, *modules]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == modules


@pytest.mark.requirement("WU6-AC8")
def test_discovery_covers_every_type_and_imports_nothing(tmp_path: Path) -> None:
    install(
        tmp_path, "probe", "".join(f"[{kind.entry_point_group}]\nprobe = no_such_module:X\n" for kind in PluginType)
    )
    answer = discover(tmp_path)
    assert {kind for kind, name, version in answer["found"] if (name, version) == ("probe", "7.0.0")} == set(PluginType)
    assert answer["imported"] == []


@pytest.mark.requirement("WU6-AC8")
def test_what_is_installed_is_discovered_and_loads() -> None:
    registry = Registry()
    assert [[entry.type, entry.name, entry.version] for entry in registry.entries()] == discover()["found"]
    assert {entry.type for entry in registry.entries()} == set(PluginType)
    for entry in registry.entries():
        plugin = registry.load(entry.type, entry.name)
        assert issubclass(plugin, ABCS[entry.type])
        assert plugin.version == entry.version


@pytest.mark.requirement("WU6-AC8")
def test_a_missing_a_broken_and_a_repeated_plugin_are_three_things(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "broken", "[floe.rbac]\nbroken = no_such_module:X\n[floe.computes]\nduckdb = other:X\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = Registry()
    with pytest.raises(PluginNotFoundError, match="broken"):
        registry.load(PluginType.RBAC, "brokn")
    with pytest.raises(BrokenPluginError, match="no_such_module"):
        registry.load(PluginType.RBAC, "broken")
    with pytest.raises(DuplicatePluginError, match="floe-compute-duckdb"):
        registry.load(PluginType.COMPUTE, "duckdb")
