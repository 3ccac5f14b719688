"""Literal credentials in sources and tests, as far as gitleaks does not see them.

gitleaks (`floe_ops.audits.leaks`) knows values that can be nothing else (keys and tokens of known makes) and random
ones beside a telling name. A password that a person made up is not random: in Python it is bandit's to find (B105,
B106 and B107: assigned, passed and defaulted passwords). What neither sees is added here: annotated assignments, names
ending in `key`, and, in files of any kind, a password inside of a URL. A false alarm is answered on its line with
`# nosec B105 - reason`, or with `# noqa: S105 - reason`, which is ruff's port of the same check.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from floe_ops.audits import bandit_run
from floe_ops.audits.bandit_run import Issue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHECKS = ("B105", "B106", "B107")
ELSEWHERE = ("charts", "docs", ".github", ".ci")
MAX_BYTES = 1_000_000
SHORTEST = 4
JUSTIFIED = re.compile(rf"{bandit_run.JUSTIFIED.pattern}|#\s*noqa: S10[567](?:, [A-Z]+\d+)*\s+-\s+\S.{{4,}}")
NAMES = re.compile(r"(^|_)(pass|password|passwd|passphrase|pwd|secret|token)($|_)", re.IGNORECASE)
KEYS = re.compile(r"(^|_)(api|access|auth|private|secret|signing)_?key$", re.IGNORECASE)
URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s:/@'\"{}$<>*…]+:[^\s:/@'\"{}$<>*…]{3,}@[\w.\[]")


def scan(project: Path, report: dict[str, Any] | None = None) -> tuple[Issue, ...]:
    """Every literal credential in the trees, by place; the value itself is never repeated.

    Args:
        project: The project's root.
        report: What `bandit_run.run` gave for it, where that is known already.

    Raises:
        WrongStateError: A Python file could not be parsed.
        NotReadyError: bandit did not end in time.
    """
    report = report or bandit_run.run(project)
    found = set(_of_bandit(project, bandit_run.of_checks(project, report, CHECKS)))
    found |= {issue for path in bandit_run.sources(project) for issue in _in_python(project, path)}
    return tuple(sorted(found | set(urls(project)), key=lambda issue: (issue.path, issue.line, issue.check)))


def urls(project: Path) -> tuple[Issue, ...]:
    """The part of `scan` that looks at files of any kind: passwords inside of URLs."""
    return tuple(issue for path in _texts(project) for issue in _urls(project, path))


def _of_bandit(project: Path, issues: list[Issue]) -> Iterator[Issue]:
    lines: dict[str, list[str]] = {}
    for issue in issues:
        if issue.path not in lines:
            lines[issue.path] = (project / issue.path).read_text(encoding="utf-8").splitlines()
        what, _, value = issue.text.partition(": ")
        if _telling(value.strip("'\"")) and not JUSTIFIED.search(lines[issue.path][issue.line - 1]):
            yield Issue(issue.path, issue.line, issue.check, issue.severity, f"{what} (value withheld)")


def _telling(value: str) -> bool:
    """Whether a value could be a secret at all: a count, a stub of three letters and `bearer` could not."""
    return len(value) >= SHORTEST and not value.isdigit() and value.lower() != "bearer"


def _in_python(project: Path, path: Path) -> Iterator[Issue]:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text, filename=str(path))):
        for name, value in _named_values(node):
            literal = value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
            if not _telling(literal) or _justified(lines, value):
                continue
            yield Issue(
                str(path.relative_to(project)),
                value.lineno,
                "literal",
                "LOW",
                f"a literal value for {name!r} (value withheld)",
            )


def _named_values(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The values that bandit does not look at: annotated ones of any secret name, and those of names ending in key."""
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        name = _name(node.target)
        if NAMES.search(name) or KEYS.search(name):
            yield name, node.value
    elif isinstance(node, ast.Assign):
        yield from ((_name(target), node.value) for target in node.targets if KEYS.search(_name(target)))
    elif isinstance(node, ast.keyword) and node.arg and KEYS.search(node.arg):
        yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and KEYS.search(key.value):
                yield key.value, value


def _name(target: ast.expr) -> str:
    if isinstance(target, ast.Name):
        return target.id
    if isinstance(target, ast.Attribute):
        return target.attr
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return str(target.slice.value)
    return ""


def _justified(lines: list[str], node: ast.expr) -> bool:
    last = node.end_lineno or node.lineno
    return any(JUSTIFIED.search(line) for line in lines[node.lineno - 1 : last])


def _texts(project: Path) -> Iterator[Path]:
    trees = [project / name for name in (*bandit_run.TREES, *ELSEWHERE)]
    files = [path for tree in trees for path in ([tree] if tree.is_file() else tree.rglob("*"))]
    files += [path for path in project.iterdir() if path.suffix in {".md", ".toml", ".yaml", ".yml", ".cfg"}]
    for path in sorted(set(files)):
        foreign = set(path.relative_to(project).parts) & set(bandit_run.FOREIGN)
        if path.is_file() and not foreign and path.stat().st_size <= MAX_BYTES:
            yield path


def _urls(project: Path, path: Path) -> Iterator[Issue]:
    content = path.read_bytes()
    if b"\0" in content:
        return
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        if URL.search(line) and not JUSTIFIED.search(line):
            yield Issue(str(path.relative_to(project)), number, "url", "HIGH", "a password in a URL (value withheld)")
