"""Which models a dbt file reads, as far as its text tells: a scan of `ref()` that runs no template.

dbt finds out by rendering; this module only reads. So it keeps apart what is certain (a call with plain words,
outside of any branch), what is possible (inside `{% if %}`, a loop, a macro), and whether anything is hidden (a name
that is put together, a macro of a package). What cannot be told is told as such.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST_CALL: Final = 9
"""Tokens of `('package', 'name', version=2)`, the longest call that is plain."""
_STEP: Final = 2
_OPENING: Final = re.compile(r"\{#|\{\{|\{%")
# A string that never ends reaches to the end of the text, so that no input is read twice.
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>'(?:[^'\\]|\\.?)*(?:'|\Z)|"(?:[^"\\]|\\.?)*(?:"|\Z))
      | (?P<name>[A-Za-z_]\w*)
      | (?P<number>[0-9]+(?:\.[0-9]+)?)
      | (?P<end>-?%\}|\+%\}|-?\}\})
      | (?P<mark>.)""",
    re.DOTALL | re.VERBOSE,
)
_RAW: Final = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_BRANCHES: Final = frozenset({"if", "for", "macro", "call", "filter", "snapshot", "test", "materialization", "docs"})
_CHOICES: Final = frozenset({"if", "and", "or"})
# Functions of dbt and Jinja that read no model.
_HARMLESS: Final = frozenset(
    re.findall(
        r"\w+",
        "source config var env_var is_incremental return log print set range dict list zip tojson fromjson toyaml"
        " fromyaml doc run_query statement load_result load_relation namespace cycler joiner lipsum set_strict"
        " zip_strict diff_of_two_dicts flags metric function",
    )
)
_HARMLESS_ROOTS: Final = frozenset(
    {"this", "target", "config", "modules", "loop", "api", "exceptions", "flags", "model", "adapter", "caller"}
)


class Token(NamedTuple):
    """One word of a template expression: its kind, its text, and where it starts in the file."""

    kind: str
    text: str
    start: int


@dataclass
class Refs:
    """What one file reads.

    Attributes:
        certain: Line of the first certain call, by the name of the model.
        possible: Names that are read in some branch.
        complete: Whether nothing is hidden: every other model is certainly not read.
    """

    certain: dict[str, int] = field(default_factory=dict)
    possible: set[str] = field(default_factory=set)
    complete: bool = True

    @property
    def names(self) -> set[str]:
        """Everything that is read or may be."""
        return self.possible | set(self.certain)


def scan_sql(text: str, *, package: str = "", harmless: frozenset[str] = frozenset()) -> Refs:
    """The models that a dbt SQL file reads.

    Args:
        text: The file.
        package: The project's own name; a `ref` with another package's name is of no interest.
        harmless: Names of the project's own macros that read no model.
    """
    scan = _Scan(package, harmless)
    for tokens in _blocks(text):
        statement = tokens[0].text == "%"
        scan.block(text, tokens[1:], statement=statement)
    return scan.refs


def _blocks(text: str) -> Iterator[list[Token]]:
    """The template blocks, each as its tokens behind one that says `%` or `{`; comments and raw text are left out."""
    position = 0
    while (opening := _OPENING.search(text, position)) is not None:
        if opening[0] == "{#":
            closing = text.find("#}", opening.end())
            position = closing + 2 if closing >= 0 else len(text)
            continue
        tokens, position = _block(text, opening.end())
        if opening[0] == "{%" and [one.text for one in tokens] == ["raw"]:
            raw = _RAW.search(text, position)
            position = raw.end() if raw else len(text)
            continue
        yield [Token("mark", opening[0][1], opening.start()), *tokens]


def _block(text: str, position: int) -> tuple[list[Token], int]:
    """The tokens up to the end of the block, and where that is."""
    tokens: list[Token] = []
    depth = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:  # the last alternative takes any character
            break
        kind, word, start = str(match.lastgroup), match[0], match.start()
        position = match.end()
        if kind == "end" and (depth == 0 or word.endswith("%}")):
            break
        if kind == "end":  # the braces of a mapping inside the expression
            kind, word, position = "mark", word[0], start + 1
        depth += (word in {"{", "(", "["}) - (word in {"}", ")", "]"})
        if kind != "space":
            tokens.append(Token(kind, word, start))
    if tokens and tokens[0].text in {"-", "+"}:
        tokens = tokens[1:]
    return tokens, position


class _Scan:
    """Goes through the blocks of one file and remembers in which branch it is."""

    def __init__(self, package: str, harmless: frozenset[str]) -> None:
        self.refs = Refs()
        self._package = package
        self._harmless = harmless
        self._own: set[str] = set()
        self._depth = 0

    def block(self, text: str, tokens: Sequence[Token], *, statement: bool) -> None:
        """Take one block."""
        word = tokens[0].text if tokens else ""
        if statement and word.startswith("end"):
            self._depth -= word.removeprefix("end") in _BRANCHES and self._depth > 0
            return
        if statement and word in {"set", "for", "import", "from"}:
            self._own |= {one.text for one in tokens if one.kind == "name"} - {"ref"}
        expression = tokens[1:] if statement else tokens
        branch = self._depth > 0 or any(one.kind == "name" and one.text in _CHOICES for one in expression)
        for index, token in enumerate(expression):
            if token.kind == "name":
                self._name(text, expression, index, branch=branch)
        self._depth += statement and word in _BRANCHES

    def _name(self, text: str, tokens: Sequence[Token], index: int, *, branch: bool) -> None:
        before = tokens[index - 1].text if index else ""
        called = index + 1 < len(tokens) and tokens[index + 1].text == "("
        name = tokens[index].text
        if before == "|":
            return
        if before == ".":
            self.refs.complete &= not called or (self._is_known(tokens, index) and name != "dispatch")
        elif name == "ref":
            self._ref(text, tokens, index, branch=branch)
        elif called:
            self.refs.complete &= name in _HARMLESS or name in self._harmless

    def _is_known(self, tokens: Sequence[Token], index: int) -> bool:
        """Whether what a method is called on reads no model: a literal, a variable of the file, an object of dbt's."""
        first = index
        while first >= _STEP and tokens[first - 1].text == "." and tokens[first - 2].kind == "name":
            first -= _STEP
        root = tokens[first - 2] if first == index and index > 1 else tokens[first]
        return root.kind != "name" or root.text in _HARMLESS_ROOTS or root.text in self._own

    def _ref(self, text: str, tokens: Sequence[Token], index: int, *, branch: bool) -> None:
        words = _arguments(tokens[index + 1 : index + 1 + LONGEST_CALL])
        if words is None or (len(words) > 1 and not self._package):
            self.refs.complete = False
            return
        if len(words) > 1 and words[0] != self._package:
            return
        if branch:
            self.refs.possible.add(words[-1])
        elif words[-1] not in self.refs.certain:
            self.refs.certain[words[-1]] = text.count("\n", 0, tokens[index].start) + 1


def _arguments(tokens: Sequence[Token]) -> list[str] | None:
    """The one or two plain words of a call of `ref`; None where something else stands there."""
    if not tokens or tokens[0].text != "(":
        return None
    words: list[str] = []
    rest = list(tokens[1:])
    while rest and rest[0].kind == "string" and "\\" not in rest[0].text and len(words) < 2:  # noqa: PLR2004 - package, name
        words.append(rest[0].text[1:-1])
        rest = rest[1:]
        if rest and rest[0].text == ",":
            rest = rest[1:]
    if [one.text for one in rest[:2]] in (["v", "="], ["version", "="]) and len(rest) > 2:  # noqa: PLR2004 - v, =, number
        rest = rest[3:] if rest[2].kind in {"string", "number"} else []
    closed = bool(rest) and rest[0].text == ")"
    return words if words and closed else None


def scan_python(text: str, *, package: str = "") -> Refs:
    """The models that a dbt Python file reads, by its `dbt.ref(...)`; dbt itself asks for plain words there."""
    import ast

    refs = Refs()
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        refs.complete = False
        return refs
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "ref"):
            continue
        words = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        if len(words) != len(node.args) or len(words) not in {1, 2}:
            refs.complete = False
        elif len(words) == 1 or words[0] == package:
            refs.certain.setdefault(words[-1], node.lineno)
    return refs


_MACRO: Final = re.compile(r"\{%[-+]?\s*macro\s+([A-Za-z_]\w*)")


def harmless_macros(texts: Sequence[str]) -> frozenset[str]:
    """The macros of a project that certainly read no model; none where any of its macro files speaks of models."""
    if any(re.search(r"\b(?:ref|builtins|graph|dispatch)\b", text) for text in texts):
        return frozenset()
    return frozenset(name for text in texts for name in _MACRO.findall(text))
