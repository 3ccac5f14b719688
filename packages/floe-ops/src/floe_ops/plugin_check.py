"""Holds plugins and compile pipeline to their promises, by running them: what `plugins.check` reports.

Each part gives the facts it saw, and raises what is wrong; nothing is read out of source text.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import FloeError, MissingToolError, WrongStateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from floe_core.enforcement import EnforcementResultSummary
    from floe_core.registry import PluginEntry

PROBE_S = 60
# Run in a fresh interpreter: says what discovery found and which of the plugins' modules it imported.
_PROBE = """
import json, sys
from floe_core.registry import discover
found = discover()
modules = [one.target.partition(":")[0] for one in found]
print(json.dumps({"found": [f"{one.type}:{one.name}" for one in found],
                  "imported": [name for name in modules if name in sys.modules]}))
"""


@dataclass(frozen=True)
class Fact:
    """One promise that was kept or broken.

    Attributes:
        criterion: The id that it proves; empty where it belongs to none.
        evidence: What was seen, with figures.
        error: What is wrong; None when the promise is kept.
    """

    criterion: str
    evidence: str
    error: FloeError | None = None


def check(root: Path) -> Iterator[Fact]:
    """Every promise in turn; a broken one does not hide the next.

    Args:
        root: The project, whose products below `demo/` are compiled.
    """
    for criterion, part in (
        ("WU6-AC1", types_have_modules),
        ("WU6-AC2", types_have_abcs),
        ("WU6-AC3", alert_channel_is_importable),
        ("WU6-AC8", discovery_covers_all_types),
        ("", discovery_imports_nothing),
    ):
        yield _fact(criterion, part)
    yield from installed_plugins()
    yield _fact("WU6-AC6", lambda: products_compile(root))


def _fact(criterion: str, part: Callable[[], str]) -> Fact:
    try:
        return Fact(criterion, part())
    except FloeError as error:
        return Fact(criterion, error.what, error)


def types_have_modules() -> str:
    """As many types as modules of ABCs, one for one by name.

    Raises:
        WrongStateError: A type without a module, or a module without a type.
    """
    import floe_core.plugins
    from floe_core.plugins import PluginType

    modules = {one.name for one in pkgutil.iter_modules(floe_core.plugins.__path__)} - {"interface"}
    _same("plugin types and modules of floe_core.plugins", {kind.value for kind in PluginType}, modules)
    return f"{len(PluginType)} plugin types, counted from PluginType, and as many modules"


def types_have_abcs() -> str:
    """Every type maps to an ABC of its own, which its module defines.

    Raises:
        WrongStateError: A type without an ABC, or an ABC of another type.
    """
    from floe_core.plugins import ABCS, PluginType

    _same("plugin types and ABCs", {kind.value for kind in PluginType}, {kind.value for kind in ABCS})
    for kind, abc in ABCS.items():
        if abc.plugin_type is not kind or abc.__module__ != f"floe_core.plugins.{kind.value}":
            raise WrongStateError(
                f"the ABC of {kind} is {abc.__module__}.{abc.__name__}",
                where="floe_core.plugins.ABCS",
                why=f"its plugin_type is {abc.plugin_type}",
                remedy="map the type to the ABC of its own module",
            )
    if len(set(ABCS.values())) != len(PluginType):
        raise WrongStateError("two plugin types share one ABC", where="floe_core.plugins.ABCS")
    return f"{len(ABCS)} types map to {len(set(ABCS.values()))} ABCs, each of its own module"


def alert_channel_is_importable() -> str:
    """`AlertChannelPlugin` from the package and from its module is one class, mapped to its type.

    Raises:
        WrongStateError: They differ.
    """
    from floe_core.plugins import ABCS, PluginType

    package, module = importlib.import_module("floe_core.plugins"), "floe_core.plugins.alert_channel"
    abc = package.AlertChannelPlugin
    if not (abc is importlib.import_module(module).AlertChannelPlugin is ABCS[PluginType.ALERT_CHANNEL]):
        raise WrongStateError("AlertChannelPlugin is not one class", where=module, why="package, module and map differ")
    return f"AlertChannelPlugin is one class in floe_core.plugins, {module} and the map"


def discovery_covers_all_types() -> str:
    """A distribution that declares one plugin of each type is found whole.

    Raises:
        WrongStateError: A group that discovery does not look into.
    """
    from floe_core.plugins import PluginType
    from floe_core.registry import discover

    groups = "".join(f"[{kind.entry_point_group}]\nprobe = nowhere:Probe\n" for kind in PluginType)
    with tempfile.TemporaryDirectory(prefix="floe-discovery-") as folder:
        info = Path(folder, "floe_probe-1.0.0.dist-info")
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: floe-probe\nVersion: 1.0.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(groups, encoding="utf-8")
        found = discover(distributions(path=[folder]))
    _same("types declared and types discovered", {kind.value for kind in PluginType}, {one.type.value for one in found})
    return f"discovery found a declared plugin of each of {len(PluginType)} types"


def discovery_imports_nothing() -> str:
    """Discovery in a fresh interpreter finds the installed plugins and imports none of their modules.

    Raises:
        MissingToolError: No plugin is installed.
        WrongStateError: A module was imported, or the interpreter failed.
    """
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=PROBE_S, check=False
    )
    if done.returncode:
        raise WrongStateError("discovery fails in a fresh interpreter", why=done.stderr.strip().rpartition("\n")[2])
    answer = json.loads(done.stdout)
    if answer["imported"]:
        raise WrongStateError("discovery imports plugins", why=", ".join(answer["imported"]))
    if not answer["found"]:
        raise MissingToolError("no plugin is installed", remedy="make the environment anew")
    return f"discovery found {len(answer['found'])} installed plugins and imported none of their modules"


def installed_plugins() -> Iterator[Fact]:
    """One fact for each installed plugin: it loads, and tells the version of its distribution."""
    from floe_core.registry import Registry

    registry = Registry()
    for entry in registry.entries():

        def load(entry: PluginEntry = entry) -> str:
            plugin = registry.load(entry.type, entry.name)
            if plugin.version != entry.version:
                raise WrongStateError(
                    f"{entry.type} {entry.name!r} tells another version than its distribution",
                    where=entry.target,
                    why=f"the class says {plugin.version}, {entry.distribution} is {entry.version}",
                    remedy="write the distribution's version into the class",
                )
            return f"{entry.type} {entry.name} {entry.version} loads"

        yield _fact("", load)


def products_compile(root: Path) -> str:
    """Every product below `demo/` compiles, with a verdict of ENFORCE that checked something.

    Raises:
        MissingToolError: There is no product.
        WrongStateError: A product has no verdict, or one that checked nothing.
        SpecError: A product or the manifest is wrong.
    """
    from floe_core.compilation import compile_product

    products = sorted(root.glob("demo/*/floe.yaml"))
    if not products:
        raise MissingToolError("there is no demo product", where=str(root / "demo"), remedy="restore the demo folder")
    seen = []
    for path in products:
        verdict: EnforcementResultSummary | None = compile_product(path.parent).enforcement_result
        # The schema demands a verdict; a pipeline that went around the schema is what this would find.
        if verdict is None or not verdict.policy_types_checked:
            raise WrongStateError("a product was compiled without being checked", where=str(path))
        count = len(verdict.policy_types_checked)
        seen.append(f"{path.parent.name} ({count} policies, {verdict.warning_count} warnings)")
    return f"{len(seen)} demo products compile with a verdict: {', '.join(seen)}"


def _same(what: str, left: set[str], right: set[str]) -> None:
    if left != right:
        only = ", ".join(sorted(left ^ right))
        raise WrongStateError(f"{what} differ", why=f"only on one side: {only}", remedy="add the missing one")
