"""The variables that a compiled dbt profile reads: from the environment, else from the platform's secrets plugin."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from floe_core.errors import MissingToolError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from floe_core.plugins import SecretsPlugin

_NEEDED = re.compile(r"env_var\(\s*['\"](?P<name>[A-Za-z_][A-Za-z0-9_]*)['\"]\s*\)")


def variables(profile: Mapping[str, Any], secrets: SecretsPlugin[Any] | None) -> dict[str, str]:
    """The variables that `profile` needs and the environment does not hold; for dbt's process only.

    Args:
        profile: One output of the compiled profile; a variable with a default is not needed.
        secrets: Where they are looked up by their name.

    Raises:
        MissingToolError: One is not set, and no secrets plugin is chosen.
        SecretsError: The plugin does not know it, or does not answer.
    """
    missing = sorted({name for name in _names(profile) if not os.environ.get(name)})
    if missing and secrets is None:
        raise MissingToolError(
            f"the engine's settings need {', '.join(missing)}",
            where="environment",
            why="not set, and the manifest chooses no secrets plugin to look it up in",
            remedy=f"set {missing[0]}, or choose plugins.secrets in the manifest",
        )
    return {name: secrets.get(name).get_secret_value() for name in missing} if secrets is not None else {}


def _names(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from _NEEDED.findall(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _names(item)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)
