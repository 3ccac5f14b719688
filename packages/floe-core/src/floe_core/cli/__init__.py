"""The command line `floe`."""

from __future__ import annotations

from floe_core.cli.main import main

__all__ = ["main"]
