"""The variables that a compiled dbt profile reads: from the environment, else from where the manifest says."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from floe_core.errors import MissingToolError
from floe_core.spec import env_var

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
        SecretUnavailableError: A file that one stands for cannot be read.
        SecretsError: The plugin does not know it, or does not answer.
    """
    missing = sorted({name for name in _names(profile) if not os.environ.get(name)})
    elsewhere = {name: one for name in missing if (one := env_var.reference(name)) is not None}
    plain = [name for name in missing if name not in elsewhere]
    if plain and secrets is None:
        raise MissingToolError(
            f"the engine's settings need {', '.join(plain)}",
            where="environment",
            why="not set, and the manifest chooses no secrets plugin to look it up in",
            remedy=f"set {plain[0]}, or choose plugins.secrets in the manifest",
        )
    if secrets is None:
        values = {name: one.resolve() for name, one in elsewhere.items()}
    else:
        values = {name: one.bound_to(secrets.get).resolve() for name, one in elsewhere.items()}
        values |= {name: secrets.get(name) for name in plain}
    return {name: value.get_secret_value() for name, value in values.items()}


def _names(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from _NEEDED.findall(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _names(item)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)
