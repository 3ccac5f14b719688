"""The credentials of one start of the platform: random, in one file that only the owner can read."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from floe_ops.targets.local.layout import write_private

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("polaris-client-id", "polaris-client-secret", "s3-access-key", "s3-secret-key", "s3-inner-key")


def new() -> dict[str, str]:
    """Fresh values by name; the client id is no secret, the rest are."""
    return {
        "polaris-client-id": "root",
        "polaris-client-secret": secrets.token_hex(24),
        "s3-access-key": secrets.token_hex(10).upper(),
        "s3-secret-key": secrets.token_hex(20),
        "s3-inner-key": secrets.token_hex(20),
    }


def save(path: Path, values: dict[str, str]) -> None:
    """Write `values` to `path`, readable by the owner alone."""
    write_private(path, json.dumps(values))


def load(path: Path) -> dict[str, str] | None:
    """The values in `path`; None when it is missing or damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    whole = isinstance(values, dict) and all(isinstance(values.get(name), str) for name in NAMES)
    return values if whole else None
