"""Fields that a product or a manifest must not have: environments, machines, credentials; why, and where they belong.

A file that names none of them is the same file on a laptop, in a test and in production.
"""

from __future__ import annotations

from typing import Final

from floe_core.spec import problems
from floe_core.spec.base import ENVIRONMENT_KEYS
from floe_core.spec.literals import is_secret_name

_ENVIRONMENTS: Final = ENVIRONMENT_KEYS | {"env", "environment"}
_MACHINES: Final = frozenset(
    {"account", "database", "endpoint", "host", "hostname", "port", "schema", "server", "uri", "url", "warehouse"}
)
_CREDENTIALS: Final = frozenset({"user", "username"})

ENVIRONMENT: Final = (
    "settings by environment are not written down: the environment is chosen where the product runs",
    "remove it; write what differs as a reference, {env: NAME}, in plugins.<type>.config of the manifest",
)
_MACHINE: Final = (
    "where data lie is known to the platform's plugins only",
    "remove it; the platform's team sets it in plugins.<type>.config of the manifest",
)
_CREDENTIAL: Final = (
    "who signs in is known to the platform's plugins only",
    "remove it; the platform's team sets it by reference in plugins.<type>.config of the manifest",
)


def why(name: str) -> tuple[str, str, str]:
    """Code, reason and remedy of the unknown field `name`; three empty texts when it is merely unknown."""
    folded = name.lower().replace("-", "_")
    if folded in _ENVIRONMENTS:
        return problems.ENVIRONMENT_FIELD, *ENVIRONMENT
    if folded in _MACHINES:
        return problems.FOREIGN_FIELD, *_MACHINE
    if folded in _CREDENTIALS or is_secret_name(name):
        return problems.FOREIGN_FIELD, *_CREDENTIAL
    return "", "", ""
