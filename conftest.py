"""pytest ends with the Nox session that started it, and its xdist workers with pytest, however those ended.

By themselves workers interrupt their test five seconds after they were left alone; where SIGINT is ignored, as in a
job in the background, they are gone after fifteen and leave out what their fixtures have to end.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from floe_ops import orphans

if TYPE_CHECKING:
    import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Bind this process to its parent: a worker always, pytest itself where the noxfile names it."""
    named = os.environ.pop("FLOE_PARENT_PID", None)  # not meant for this process's own children
    parent = os.getppid() if hasattr(config, "workerinput") else int(named) if named else None
    if parent is not None:
        orphans.interrupt_on_sigterm()
        orphans.end_with(parent)
