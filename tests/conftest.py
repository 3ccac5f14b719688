"""Fixtures that every suite under `tests/` shares."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The checkout that these tests lie in, whatever the working directory is."""
    return Path(__file__).resolve().parents[1]
