"""The command line as a call, with its two streams."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from floe_core.cli import main


@pytest.fixture
def floe() -> Callable[..., Result]:
    """Calls `floe` with words in this process."""

    def call(*words: str | Path, env: dict[str, str] | None = None) -> Result:
        return CliRunner(env=env).invoke(main, [str(word) for word in words], prog_name="floe")

    return call
