"""What the suites share: their one assertion (pytest rewrites no `assert` in an installed module), and references."""

from __future__ import annotations

from contextlib import contextmanager
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from pydantic import BaseModel

from floe_core.spec.secrets import SecretRef

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


def references(value: Any) -> tuple[SecretRef, ...]:
    """The references that a configuration holds, at any depth."""
    return tuple(_references(value, settings=True))


def secret_variables(config: BaseModel) -> tuple[str, ...]:
    """The variables whose values are secrets; those of settings, which may be written down as well, are left out."""
    return tuple(one.env for one in _references(config, settings=False) if one.env is not None)


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, or the one type that is none."""
    return get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)


def _references(value: Any, *, settings: bool) -> Iterator[SecretRef]:
    if isinstance(value, SecretRef):
        yield value
        return
    parts: list[Any] = []
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        parts = [part for name, part in value if settings or str not in alternatives(fields[name].annotation)]
    elif isinstance(value, dict):
        parts = [*value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        parts = [*value]
    for part in parts:
        yield from _references(part, settings=settings)
