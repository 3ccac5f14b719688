"""What the plugin asks of each place where secrets lie."""

from __future__ import annotations

from typing import Protocol


class Source(Protocol):
    """A place where secrets lie."""

    def value(self, name: str) -> str | None:
        """The value of `name`, read now; None where the place has none.

        Raises:
            SecretsError: The place cannot be read, or holds what must not be used.
        """

    def names(self) -> set[str]:
        """The names that can be listed, without reading a value.

        Raises:
            SecretsError: The place cannot be read.
        """

    def missing(self, name: str) -> str:
        """Where `name` was looked for in vain."""
