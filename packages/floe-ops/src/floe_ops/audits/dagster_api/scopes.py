"""Which names of a Python file stand for something of Dagster, scope by scope.

Flow is followed by line only: within one scope the latest binding above a use counts, in an enclosing scope the
last one. That is exact for imports and for the aliases that people write, and never guesses a type.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
ComprehensionNode = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_SCOPED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp,
           ast.GeneratorExp)  # fmt: skip


@dataclass
class Scope:
    """One scope: for each name the lines at which it is bound, and to which symbol (None: to something else)."""

    is_class: bool = False
    bound: dict[str, list[tuple[int, str | None]]] = field(default_factory=dict)

    def bind(self, name: str, line: int, symbol: str | None) -> None:
        """Record that `name` means `symbol` from `line` on."""
        self.bound.setdefault(name, []).append((line, symbol))

    def symbol(self, name: str, line: int | None) -> str | None:
        """What `name` means at `line`; with None, after the whole scope has run."""
        bindings = self.bound[name]
        reached = bindings if line is None else [entry for entry in bindings if entry[0] <= line] or bindings[:1]
        return reached[-1][1]


class Scopes:
    """The stack of scopes around the node that is being visited.

    Args:
        own: Top-level packages of the audited folder, which are never Dagster's even when named like it.
    """

    def __init__(self, own: frozenset[str] = frozenset()) -> None:
        self._own = own
        self._stack: list[Scope] = []

    def is_dagster(self, module: str) -> bool:
        """Whether `module` belongs to Dagster or to one of its libraries."""
        top = module.partition(".")[0]
        return (top == "dagster" or top.startswith("dagster_")) and top not in self._own

    def enter(self, body: Iterable[ast.AST], *, is_class: bool = False) -> None:
        """Open a scope and bind what its own statements bind."""
        self._stack.append(Scope(is_class=is_class))
        for node in own_nodes(body):
            self._bind(node)

    def leave(self) -> None:
        """Close the innermost scope."""
        self._stack.pop()

    def enter_function(self, node: FunctionNode | ast.Lambda) -> None:
        """Open the scope of a function: parameters with a Dagster annotation are instances, the others hide names."""
        arguments = node.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        types = [(argument, self.annotated(argument.annotation)) for argument in named]
        body: Iterable[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else node.body
        self.enter(body)
        rest = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
        for argument, symbol in [*types, *((argument, None) for argument in rest)]:
            self._stack[-1].bound.setdefault(argument.arg, []).insert(0, (0, symbol))

    def enter_comprehension(self, node: ComprehensionNode) -> None:
        """Open the scope of a comprehension, whose loop variables hide outer names."""
        self.enter([])
        for generator in node.generators:
            for name in stored_names(generator.target):
                self._stack[-1].bind(name, 0, None)

    def resolve(self, node: ast.expr) -> str | None:
        """The Dagster symbol that an expression stands for, or None."""
        if isinstance(node, ast.Name):
            return self._lookup(node.id, node.lineno)
        if isinstance(node, ast.Attribute):
            owner = self.resolve(node.value)
            return f"{owner}.{node.attr}" if owner else None
        if isinstance(node, ast.Call):
            imported = _dynamic_import(node)
            if imported and self.is_dagster(imported):
                return imported
            made = self.resolve(node.func)
            return f"{made}()" if made and "()" not in made else None
        return None

    def annotated(self, annotation: ast.expr | None) -> str | None:
        """The instance symbol that an annotation promises: `X`, `"X"`, `X | None` and `Optional[X]`."""
        for candidate in _alternatives(annotation):
            symbol = self.resolve(candidate)
            if symbol and "()" not in symbol:
                return f"{symbol}()"
        return None

    def _lookup(self, name: str, line: int) -> str | None:
        for depth, scope in enumerate(reversed(self._stack)):
            if name in scope.bound and (depth == 0 or not scope.is_class):
                return scope.symbol(name, line if depth == 0 else None)
        return None

    def _bind(self, node: ast.AST) -> None:
        scope = self._stack[-1]
        match node:
            case ast.Import():
                self._bind_import(node)
            case ast.ImportFrom():
                known = not node.level and node.module is not None and self.is_dagster(node.module)
                for alias in node.names:
                    symbol = f"{node.module}.{alias.name}" if known else None
                    scope.bind(alias.asname or alias.name, node.lineno, symbol)
            case ast.Assign(value=ast.Constant(value=None)):
                pass  # `X = None` after a failed import: a fallback, not another meaning
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._bind_target(target, self.resolve(value))
            case ast.AnnAssign():
                self._bind_target(node.target, self.annotated(node.annotation))
            case (
                ast.For(target=target) | ast.AsyncFor(target=target) | ast.withitem(optional_vars=ast.expr() as target)
            ):
                self._bind_target(target, None)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                scope.bind(name, node.lineno, None)
            case _:
                pass

    def _bind_import(self, node: ast.Import) -> None:
        for alias in node.names:
            target = alias.name if alias.asname else alias.name.partition(".")[0]
            self._stack[-1].bind(alias.asname or target, node.lineno, target if self.is_dagster(alias.name) else None)

    def _bind_target(self, target: ast.expr, symbol: str | None) -> None:
        single = isinstance(target, ast.Name)
        for name in stored_names(target):
            # The line after: the right-hand side of `asset = asset(...)` still means the old name.
            self._stack[-1].bind(name, (target.end_lineno or target.lineno) + 1, symbol if single else None)


def own_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of a scope in the order of the text, without those of the scopes inside of it."""
    for node in body:
        yield node
        if not isinstance(node, _SCOPED):
            yield from own_nodes(ast.iter_child_nodes(node))


def stored_names(target: ast.expr) -> list[str]:
    """The plain names that an assignment target binds."""
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]


def _dynamic_import(node: ast.Call) -> str | None:
    """The module of `import_module("dagster")` or `__import__("dagster")`, when it is written out."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name not in {"import_module", "__import__"} or not node.args:
        return None
    first = node.args[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def _alternatives(annotation: ast.expr | None) -> Iterator[ast.expr]:
    if annotation is None:
        return
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            yield from _alternatives(ast.parse(annotation.value, mode="eval").body)
        except SyntaxError:
            return
    elif isinstance(annotation, ast.BinOp):
        yield from _alternatives(annotation.left)
        yield from _alternatives(annotation.right)
    elif isinstance(annotation, ast.Subscript) and getattr(annotation.value, "id", "") == "Optional":
        yield from _alternatives(annotation.slice)
    else:
        yield annotation
