"""What both transports have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Delivery(Protocol):
    """A way out for events."""

    def deliver(self, event: Mapping[str, Any], text: str) -> None:
        """Deliver `event`, whose JSON is `text`.

        Raises:
            LineageError: It was not taken.
        """

    def probe(self, timeout_s: float) -> str:
        """See whether events would be taken; gives a sentence with what was seen.

        Raises:
            LineageError: They would not.
        """
