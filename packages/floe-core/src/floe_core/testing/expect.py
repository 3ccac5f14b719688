"""The one assertion of the suites: pytest does not rewrite `assert` in an installed module, so the words are ours."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def expect(condition: object, contract: str) -> None:
    """Fail with the sentence of the contract that is broken.

    Raises:
        AssertionError: `condition` does not hold.
    """
    if not condition:
        raise AssertionError(contract)


@contextmanager
def refuses(error: type[Exception], contract: str) -> Iterator[None]:
    """Expect `error` from the block.

    Raises:
        AssertionError: The block passed.
    """
    try:
        yield
    except error:
        return
    raise AssertionError(contract)
