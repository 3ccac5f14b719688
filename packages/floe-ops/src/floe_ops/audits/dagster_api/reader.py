"""Reads Python files and lists every use of a Dagster name in them; imports nothing of what it reads."""

from __future__ import annotations

import ast
import tokenize
from typing import TYPE_CHECKING

from floe_core.errors import UsageError

from floe_ops.audits.dagster_api.model import Role, Row, Use
from floe_ops.audits.dagster_api.scopes import ComprehensionNode, FunctionNode, Scopes

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 2_000_000
"""A source file above this size is a data file in disguise and is not read."""

_SKIPPED_FOLDERS = {"__pycache__", "build", "dist", "node_modules", "site-packages"}


def python_files(path: Path) -> list[Path]:
    """The Python files at or below `path`, sorted; hidden, built and vendored folders left out.

    Raises:
        UsageError: there is no such path, or it holds no Python file.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UsageError("cannot audit", where=str(path), why="no such file or folder", remedy="give --path a package")
    found = sorted(file for file in path.rglob("*.py") if file.is_file() and not _skipped(file.relative_to(path)))
    if not found:
        raise UsageError(
            "nothing to audit", where=str(path), why="no Python file below it", remedy="give another --path"
        )
    return found


def _skipped(relative: Path) -> bool:
    return any(part in _SKIPPED_FOLDERS or part.startswith(".") for part in relative.parts)


def read(file: Path, shown: str, own: frozenset[str]) -> list[Use] | Row:
    """The uses in `file`, or the row that says why it cannot be read.

    Args:
        file: The file.
        shown: Its path as the report gives it.
        own: Top-level packages of the audited folder.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            return _unparsable(shown, 0, f"larger than {MAX_BYTES} bytes")
        tree = ast.parse(_text(file), filename=shown)
        reader = _Reader(shown, Scopes(own))
        reader.read(tree)
    except SyntaxError as error:
        return _unparsable(shown, error.lineno or 0, error.msg)
    except (RecursionError, MemoryError):
        return _unparsable(shown, 0, "nested too deeply")
    except (ValueError, OSError) as error:
        return _unparsable(shown, 0, str(error))
    return reader.uses


def _text(file: Path) -> str:
    try:
        with tokenize.open(file) as stream:  # honours the encoding that the file declares
            return stream.read()
    except (SyntaxError, UnicodeDecodeError):
        raise ValueError("not text in the declared encoding") from None


def _unparsable(shown: str, line: int, why: str) -> Row:
    return Row(shown, line, shown, "", "unparsable", "", "fail", why)


class _Reader(ast.NodeVisitor):
    """Walks one file and collects the uses of Dagster in it."""

    def __init__(self, shown: str, scopes: Scopes) -> None:
        self._shown = shown
        self._scopes = scopes
        self.uses: list[Use] = []

    def read(self, tree: ast.Module) -> None:
        self._scopes.enter(tree.body)
        self.generic_visit(tree)
        self._scopes.leave()

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if self._scopes.is_dagster(alias.name):
                self._add(node, alias.name, "import")

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or node.module is None or not self._scopes.is_dagster(node.module):
            return
        for alias in node.names:
            self._add(node, f"{node.module}.{alias.name}", "import")

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and (symbol := self._scopes.resolve(node)) and not symbol.endswith("()"):
            self._add(node, symbol, "attribute")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        symbol = self._scopes.resolve(node)
        if symbol:
            self._add(node, symbol, "attribute")
        if symbol is None or "()" in symbol:
            self.visit(node.value)  # `Foo(x=1).bar`: the call inside is a use of its own

    def visit_Call(self, node: ast.Call) -> None:
        symbol = self._scopes.resolve(node.func)
        imported = self._scopes.resolve(node)
        if symbol:
            self._add_call(node, symbol)
            if "()" in symbol:
                self.visit(node.func)
        elif imported:
            self._add(node, imported, "import")
        else:
            self.visit(node.func)
        for argument in (*node.args, *node.keywords):
            self.visit(argument)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.keywords):
            self.visit(part)
        for base in node.bases:
            plain = base.value if isinstance(base, ast.Subscript) else base  # `IOManager[Table]`
            symbol = self._scopes.resolve(plain)
            if symbol:
                self._add(base, symbol, "base")
                self._add_overrides(node, symbol)
            else:
                self.visit(base)
        self._scopes.enter(node.body, is_class=True)
        self._visit_all(node.body)
        self._scopes.leave()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.args)
        self._scopes.enter_function(node)
        self.visit(node.body)
        self._scopes.leave()

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._comprehension(node)

    def _function(self, node: FunctionNode) -> None:
        self._visit_all(node.decorator_list)
        self.visit(node.args)
        if node.returns:
            self.visit(node.returns)
        self._scopes.enter_function(node)
        self._visit_all(node.body)
        self._scopes.leave()

    def _comprehension(self, node: ComprehensionNode) -> None:
        self.visit(node.generators[0].iter)  # evaluated outside of the comprehension
        self._scopes.enter_comprehension(node)
        self.generic_visit(node)
        self._scopes.leave()

    def _visit_all(self, nodes: list[ast.stmt] | list[ast.expr]) -> None:
        for node in nodes:
            self.visit(node)

    def _add(self, node: ast.stmt | ast.expr, symbol: str, role: Role) -> None:
        self.uses.append(Use(self._shown, node.lineno, symbol, role))

    def _add_call(self, node: ast.Call, symbol: str) -> None:
        plain = [argument for argument in node.args if not isinstance(argument, ast.Starred)]
        positional = len(plain) if len(plain) == len(node.args) else node.args.index(
            next(argument for argument in node.args if isinstance(argument, ast.Starred))
        )  # fmt: skip
        keywords = tuple(keyword.arg for keyword in node.keywords if keyword.arg)
        self.uses.append(Use(self._shown, node.lineno, symbol, "call", keywords, positional))

    def _add_overrides(self, node: ast.ClassDef, base: str) -> None:
        for member in node.body:
            if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._add(member, f"{base}.{member.name}", "override")
