"""The page of the error codes."""

from __future__ import annotations

from floe_core.spec.catalogue import catalogue
from floe_ops.reference import errors


def test_every_code_has_its_row() -> None:
    page = errors.page()
    for entry in catalogue():
        assert f"| `{entry.code}` |" in page
        assert entry.cure
