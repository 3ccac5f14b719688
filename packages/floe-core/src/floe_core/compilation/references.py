"""Finds the references to secrets in a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from floe_core.spec.secrets import SecretRef

if TYPE_CHECKING:
    from collections.abc import Iterator


def references(value: object) -> Iterator[SecretRef]:
    """Every reference in `value`, at any depth: in models, and in plain mappings that have a reference's shape."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, SecretRef):
            yield here
        elif isinstance(here, BaseModel):
            waiting += [field for _name, field in here]
        elif isinstance(here, dict):
            written = _as_written(here)
            if written is None:
                waiting += here.values()
            else:
                yield written
        elif isinstance(here, list | tuple | set | frozenset):
            waiting += here


def _as_written(mapping: dict[object, object]) -> SecretRef | None:
    """The reference that a mapping is; None where it is none."""
    if len(mapping) != 1 or not mapping.keys() <= {"env", "file", "secret"}:
        return None
    try:
        return SecretRef.model_validate(mapping)
    except ValidationError:
        return None
