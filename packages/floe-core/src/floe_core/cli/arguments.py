"""Arguments and options that several commands share, and how a verdict is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from floe_core.enforcement import EnforcementResultSummary

# A missing file is told by LOAD, with a remedy; click's own check would only say that it is not there.
PATH = click.Path(path_type=Path)
product_argument = click.argument("product", type=PATH, default=Path())
manifest_option = click.option("--manifest", type=PATH, help="The platform's manifest; wins over the product's.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def told(verdict: EnforcementResultSummary) -> str:
    """The verdict of ENFORCE as lines for people."""
    level, count = verdict.enforcement_level, len(verdict.policy_types_checked)
    lines = [f"  policies ({level}): {count} checks, {verdict.error_count} errors, {verdict.warning_count} warnings"]
    lines += [f"  {one.severity}: {one.field}: {one.message}; next: {one.remedy}" for one in verdict.findings]
    lines += [f"  not checked: {one.policy_type}: {one.why}" for one in verdict.checks_not_run]
    return "\n".join(lines)
