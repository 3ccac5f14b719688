"""Arguments and options that several commands share, and how a verdict is told."""

from __future__ import annotations

import os
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from floe_core.enforcement import EnforcementResultSummary

MAX_LOOKED_AT = 2000
"""Folders that a shell waits for."""


def _products(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The products below what is typed, two folders deep; else the shell's own completion of paths."""
    from click.shell_completion import CompletionItem

    typed = Path(incomplete)
    base = typed if incomplete.endswith("/") or not incomplete else typed.parent
    found: list[Path] = []
    try:
        folders = islice(chain(base.glob("*/"), base.glob("*/*/")), MAX_LOOKED_AT)
        found = [folder for folder in folders if (folder / "floe.yaml").is_file()]
    except OSError:  # a folder that may not be read has nothing to offer
        found = []
    words = sorted({str(path) for path in found if str(path).startswith(incomplete)})
    return [CompletionItem(word) for word in words] or [CompletionItem(incomplete, type="dir")]


class _AnyPath(click.Path):
    """A path that need not be there, and that a file system could hold."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Click's own; a NUL is a wrong word, and not an error of the system's."""
        if "\0" in os.fspath(value):
            self.fail("a path holds no NUL", param, ctx)
        return super().convert(value, param, ctx)


# A missing file is told by LOAD, with a remedy; click's own check would only say that it is not there.
PATH = _AnyPath(path_type=Path)
product_argument = click.argument("product", type=PATH, default=Path(), shell_complete=_products)
manifest_option = click.option("--manifest", type=PATH, help="The platform's manifest; wins over the product's.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


MANIFEST_SAYS = ("governance", "approved_")
"""How a reason begins that lies in the manifest: the platform does not ask for the check."""


def told(verdict: EnforcementResultSummary) -> str:
    """The verdict of ENFORCE as lines for people; checks that did not run are told together where the reason is one."""
    level, count = verdict.enforcement_level, len(verdict.policy_types_checked)
    lines = [f"  policies ({level}): {count} checks, {verdict.error_count} errors, {verdict.warning_count} warnings"]
    lines += [f"  {one.severity}: {one.field}: {one.message}; next: {one.remedy}" for one in verdict.findings]
    reasons: dict[str, list[str]] = {}
    for one in verdict.checks_not_run:
        asked = not one.why.startswith(MANIFEST_SAYS)
        reasons.setdefault(one.why if asked else "the platform does not ask", []).append(one.policy_type)
    lines += [f"  not checked ({why}): {', '.join(names)}" for why, names in reasons.items()]
    return "\n".join(lines)
