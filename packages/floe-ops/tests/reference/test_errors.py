"""The page of the error codes."""

from __future__ import annotations

from floe_core.spec.catalogue import CATALOGUE
from floe_ops.reference import errors


def test_every_code_has_its_row() -> None:
    page = errors.page()
    for code, entry in CATALOGUE.items():
        assert f"| `{code}` |" in page
        assert entry.title
        assert entry.cure
