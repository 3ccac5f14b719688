"""The adapter's version, where dbt looks for it."""

from __future__ import annotations

version = "1.11.0"
