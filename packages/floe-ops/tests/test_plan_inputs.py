"""What a session's proof says it depends on, against what the session's tasks and tests import."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from floe_ops import inputs, plan

ROOT = Path(__file__).resolve().parents[3]
OPS = "packages/floe-ops/src/floe_ops"
TASKS = "floe_ops.tasks."
# What is compiled is compiled with the plugins that a manifest names, and those are found by entry point.
COMPILER = "floe_core.compilation.pipeline"
# What is proved in a cluster depends on all that `final` depends on (floe_ops.ledger): no need to follow it from here.
IN_CLUSTER = "floe_ops.targets.cluster"
MODULES = {
    ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__"): path
    for source in ROOT.glob("*/*/src")
    for path in source.rglob("*.py")
}
SESSIONS = list(plan.load().sessions)


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """The node and all below it, but for blocks that only a type checker reads."""
    if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
        yield node
        for child in ast.iter_child_nodes(node):
            yield from walk(child)


def named(tree: ast.AST) -> Iterator[str]:
    """Dotted names that are imported, at any depth, and those in the words and programs given to other processes."""
    for node in walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (".".join(pair) for pair in re.findall(r"from (floe_[\w.]+) import (\w+)", node.value))
            if " " not in node.value.strip():
                yield from re.findall(r"\bfloe_\w+(?:\.\w+)+", node.value)


def modules(names: Iterable[str]) -> Iterator[str]:
    """The module that each name is, or is in, and the packages around it; names from elsewhere are left out."""
    for name in names:
        parts = name.split(".")
        yield from (found for n in range(len(parts)) if (found := ".".join(parts[: n + 1])) in MODULES)


def entry_points() -> Iterator[str]:
    for path in ROOT.glob("plugins/*/pyproject.toml"):
        for group in tomllib.loads(path.read_text(encoding="utf-8"))["project"]["entry-points"].values():
            yield from (target.partition(":")[0] for target in group.values())


def closure(names: Iterable[str]) -> set[str]:
    """Every module of this repository that is loaded when these are used. Of a task's module only what runs counts."""
    seen: set[str] = set()
    todo = list(modules(names))
    while todo:
        module = todo.pop()
        if module not in seen and not module.startswith(IN_CLUSTER):
            seen.add(module)
            tree = parsed(MODULES[module])
            if any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body):
                todo += [other for other in MODULES if other.startswith(f"{module}.")]  # loads its names on first use
            todo += modules(of_task(module) if module.startswith(TASKS) else named(tree))
            todo += modules(entry_points()) if module == COMPILER else []
    return seen


def of_task(module: str, *functions: str) -> list[str]:
    """What a module of tasks imports at its top and in these functions, with the helpers that they call."""
    bodies = {node.name: node for node in parsed(MODULES[module]).body if isinstance(node, ast.FunctionDef)}
    names = [name for node in parsed(MODULES[module]).body if node not in bodies.values() for name in named(node)]
    todo, seen = list(functions), set[str]()
    while todo:
        function = todo.pop()
        if function in bodies and function not in seen:
            seen.add(function)
            names += named(bodies[function])
            todo += [node.id for node in ast.walk(bodies[function]) if isinstance(node, ast.Name)]
    assert seen.issuperset(functions)
    return names


def words(session: str) -> list[str]:
    """The words that the noxfile's function of a session gives to Invoke."""
    for node in parsed(ROOT / "noxfile.py").body:
        if isinstance(node, ast.FunctionDef) and f"unit('{session}')" in map(ast.unparse, node.decorator_list):
            constants = [child for child in ast.walk(node) if isinstance(child, ast.Constant)]
            return [child.value for child in constants if isinstance(child.value, str)]
    raise AssertionError(f"the noxfile has no session {session}")


def only_in_cluster(path: Path) -> bool:
    """Whether all tests of a module are marked `cluster`."""
    marks = [ast.unparse(node) for node in parsed(path).body if isinstance(node, ast.Assign)]
    return any(mark.startswith("pytestmark") and "pytest.mark.cluster" in mark for mark in marks)


def depends(session: str) -> set[str]:
    """Paths of every module and test that a session loads."""
    said = words(session)
    names = [module for module in MODULES if module.startswith(TASKS)]  # Invoke loads them all
    for word in said:
        if re.fullmatch(r"[a-z]+\.[a-z]+", word):
            space, function = word.split(".")
            names += of_task(TASKS + space, function)
    tests = []
    if "final.prove" in said:
        unit = said[said.index("--unit") + 1] if "--unit" in said else "WU"
        suite = [path for path in (ROOT / "tests/e2e").glob("test_*.py") if f'"{unit}' in path.read_text("utf-8")]
        suite = [path for path in suite if not only_in_cluster(path)]
        assert suite
        tests = [*suite, ROOT / "tests/e2e/conftest.py", ROOT / "tests/conftest.py", ROOT / "conftest.py"]
        names += [name for path in tests for name in named(parsed(path))]
    return {path.relative_to(ROOT).as_posix() for path in [*tests, *(MODULES[name] for name in closure(names))]}


def selected(session: str, *paths: str) -> set[str]:
    return set(inputs.select(dict.fromkeys(paths, ""), plan.load().sessions[session].inputs))


@pytest.mark.parametrize("session", SESSIONS)
def test_all_that_a_session_imports_is_among_its_inputs(session: str) -> None:
    paths = depends(session)
    assert f"{OPS}/tasks/base.py" in paths
    assert paths - selected(session, *paths) == set()


def test_the_closure_goes_through_functions_strings_and_entry_points() -> None:
    assert f"{OPS}/targets/local/watcher.py" in depends("helm_bootstrap")  # a word of a command line
    assert f"{OPS}/suite.py" in depends("cube_multiarch")  # pytest's -p
    assert f"{OPS}/audits/osv_server.py" in depends("security")  # imported where it is used
    assert "plugins/floe-storage-s3/src/floe_storage_s3/plugin.py" in depends("otel")  # an entry point
    assert "plugins/floe-orchestrator-dagster/src/floe_orchestrator_dagster/loader.py" in depends("dagster_migrate")


DEMO = {"dagster_migrate", "dbt_demo(duckdb)", "dbt_demo(iceberg)", "dbt_demo", "plugins", "otel", "security", "final"}
PLATFORM = {"helm_bootstrap", "otel", "dbt_demo(iceberg)", "dbt_demo", "security", "final"}


@pytest.mark.parametrize(
    ("path", "sessions"),
    [
        ("demo/customer-360/floe.yaml", DEMO),
        ("uv.lock", set(SESSIONS)),
        (f"{OPS}/plan.toml", set(SESSIONS)),
        (f"{OPS}/services.toml", set(SESSIONS)),
        ("tests/e2e/conftest.py", set(SESSIONS)),
        ("toolchain/go/otelcol/main.go", PLATFORM),
        ("toolchain/go/crane/go.mod", PLATFORM | {"cube_multiarch"}),
        ("testing/polaris/src/polaris_standin/cli.py", set(SESSIONS)),
        ("testing/ci/polaris-auth.sh", {"helm_bootstrap", "security", "final"}),
        ("plugins/floe-storage-s3/src/floe_storage_s3/plugin.py", DEMO),
        ("tests/e2e/test_cube_multiarch_e2e.py", {"cube_multiarch", "security", "final"}),
        (f"{OPS}/report/terminal.py", {"security", "final"}),
        (f"{OPS}/verdict.py", {"security", "final"}),
        ("packages/floe-ops/tests/test_plan.py", {"security", "final"}),
        ("docs/plan.md", {"security"}),
        ("demo/README.md", DEMO - {"final"}),
        ("LICENSE", {"security"}),
    ],
)
def test_a_change_touches_these_sessions_and_no_other(path: str, sessions: set[str]) -> None:
    assert (ROOT / path).exists() or path == "demo/README.md"
    assert {session for session in SESSIONS if selected(session, path)} == sessions


def test_every_pattern_names_something() -> None:
    files = inputs.tree(ROOT)
    patterns = {pattern.removeprefix("!") for one in plan.load().sessions.values() for pattern in one.inputs}
    assert [pattern for pattern in patterns if not inputs.select(files, [pattern])] == []
