"""Credentials that somebody wrote down: in the product's and the manifest's text, and in the dbt project.

Fields of `floe.yaml` and `manifest.yaml` are refused as soon as they are read; this check also reads what no schema
sees: comments, dbt's YAML, SQL. A finding names the place and the kind, and never the value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from floe_core.enforcement.check import Rule
from floe_core.enforcement.result import Finding
from floe_core.spec import yamltree
from floe_core.spec.literals import find, is_secret_name, shape_of
from floe_core.spec.problems import Problem
from floe_core.spec.source import Source, child, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.dbt_manifest import ProjectFile
    from floe_core.enforcement.check import Look
    from floe_core.enforcement.subject import Subject
    from floe_core.spec.source import Loc

REMEDY: Final = "remove it, change the credential, and write where it lies: {env: NAME} here, env_var('NAME') in dbt"
# Most documents hold no such word, and parsing all of them costs more than finding that out.
_WORD: Final = re.compile(
    r"passw|passphrase|secret|token|api_?-?key|access_?-?key|private_?-?key|credential|connection_?-?string",
    re.IGNORECASE,
)
_REFERENCE: Final = re.compile(r"\s*\{\{\s*(?:env_var|var)\(\s*(?:'[^']*'|\"[^\"]*\")\s*\)[^'\"]*\}\}\s*\Z")
_QUOTED_REFERENCE: Final = re.compile(
    r"(['\"]?)\{\{-?[ \t]{0,8}env_var\([ \t]{0,8}(?:'[^'\n]*'|\"[^\"\n]*\")[ \t]{0,8}\)[ \t]{0,8}-?\}\}\1"
)
_ASSIGNED: Final = re.compile(
    r"\b([A-Za-z0-9_]{0,40}(?:password|passwd|passphrase|secret|(?:access|api|private|secret)_?key|credentials?"
    r"|(?:access|auth|session|bearer|api)_?token))\b\s{0,8}(?::=|=>|=|:|\s)\s{0,8}'([^'{}\n]{4,})'",
    re.IGNORECASE,
)


class LiteralSecrets(Rule):
    """No credential stands in a text that people share."""

    policy_type = "literal_secrets"
    code = "FLOE-E318"

    def look(self, subject: Subject) -> Iterator[Look]:
        """The product, the manifest with its parents, and each YAML and SQL file of the dbt project."""
        product, manifest = subject.product, subject.manifest
        texts = [(one.path, one.raw) for one in manifest.parents]
        for path, raw in ((product.path, product.raw), (manifest.path, manifest.raw), *texts):
            yield list(self._lines(str(path), raw.decode("utf-8", "replace")))
        if subject.project is None:
            return
        folder = subject.project.folder
        for file in subject.project.documents:
            yield list(self._document(str(folder / file.path), file))
        for file in (*subject.project.models, *subject.project.others):
            yield list(self._sql(str(folder / file.path), file.text))

    def _lines(self, path: str, text: str) -> Iterator[Finding]:
        if not shape_of(text):
            return
        for number, line in enumerate(text.splitlines(), 1):
            if title := shape_of(line):
                yield self._finding(path, number, f"it looks like {title}")

    def _document(self, path: str, file: ProjectFile) -> Iterator[Finding]:
        shapes = list(self._lines(path, _without_references(file.text)))
        yield from shapes
        if not _WORD.search(file.text):
            return
        try:
            source = Source(path, yamltree.parse(file.text.encode()))
        except yamltree.YamlError:  # dbt takes YAML that floe does not; its lines were looked at
            return
        told = {one.problem.line for one in shapes}
        for loc, reason in find(source.root):
            line = _line(source, loc)
            if line not in told and not is_env_var(source.value(loc)):
                yield self._finding(path, line, reason, dotted(loc))

    def _sql(self, path: str, template: str) -> Iterator[Finding]:
        text = _without_references(template)
        shapes = list(self._lines(path, text))
        yield from shapes
        told = {one.problem.line for one in shapes}
        for match in _ASSIGNED.finditer(text) if _WORD.search(text) else ():
            line = text.count("\n", 0, match.start()) + 1
            if line not in told and is_secret_name(match[1]):
                told.add(line)
                yield self._finding(path, line, f"{match[1].lower()} is given a value")

    def _finding(self, path: str, line: int, reason: str, field: str = "") -> Finding:
        problem = Problem(self.code, path, line, 1, field, "", f"a credential stands here: {reason}", remedy=REMEDY)
        return Finding(self.policy_type, self.severity, problem)


def _without_references(text: str) -> str:
    """The text with dbt's references to variables taken out; what follows `password =` is then no value."""
    return _QUOTED_REFERENCE.sub("{}", text) if "env_var" in text else text


def is_env_var(value: object) -> bool:
    """Whether `value` is dbt's reference to a variable, with no default that would be the secret itself."""
    return isinstance(value, str) and _REFERENCE.match(value) is not None


def _line(source: Source, loc: Loc) -> int:
    node = source.root
    for step in loc:
        node = child(node, step) or node
    return node.line
