"""Secrets in the environment of this process."""

from __future__ import annotations

import os
import re
from typing import Final

from floe_core.plugins import SecretRefusedError

from floe_secrets_env import names

_OTHER: Final = re.compile(r"[^A-Z0-9_]")


class Environment:
    """Variables with a prefix.

    Args:
        prefix: What their names begin with; may be empty.
        max_bytes: How large a value may be.
    """

    def __init__(self, prefix: str, max_bytes: int) -> None:
        self._prefix = prefix
        self._max_bytes = max_bytes

    def value(self, name: str) -> str | None:
        """The value of the first variable that is set and not empty; None where there is none.

        Raises:
            SecretRefusedError: It is too large, or no UTF-8 text.
        """
        for variable in self._variables(name):
            if value := os.environ.get(variable, ""):
                return self._checked(name, variable, value)
        return None

    def names(self) -> set[str]:
        """The names after the prefix; without a prefix nothing tells a secret from any other variable."""
        if not self._prefix:
            return set()
        ours = (key for key, value in os.environ.items() if value and key.startswith(self._prefix))
        return {name for name in (key.removeprefix(self._prefix) for key in ours) if names.is_valid(name)}

    def missing(self, name: str) -> str:
        """Where a name was looked for in vain."""
        return f"{' and '.join(self._variables(name))}: unset or empty"

    def _variables(self, name: str) -> list[str]:
        """As it is written, and as variables are usually written: `db-password` is DB_PASSWORD, too."""
        usual = _OTHER.sub("_", name.upper())
        return list(dict.fromkeys([f"{self._prefix}{name}", f"{self._prefix}{usual}"]))

    def _checked(self, name: str, variable: str, value: str) -> str:
        try:
            size = len(value.encode("utf-8"))
        except UnicodeEncodeError:  # its text quotes the value
            raise _refused(name, variable, "it is no UTF-8 text") from None
        if size > self._max_bytes:
            raise _refused(name, variable, f"it is larger than {self._max_bytes} bytes")
        return value


def _refused(name: str, variable: str, why: str) -> SecretRefusedError:
    return SecretRefusedError(
        f"the secret {name} cannot be used",
        where=f"environment variable {variable}",
        why=why,
        remedy=f"correct {variable}, or max_bytes under plugins.secrets.config",
    )
