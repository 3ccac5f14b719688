"""Rules that a product is held to before anything is built."""

from __future__ import annotations

from floe_core.enforcement.check import Check
from floe_core.enforcement.checks import CHECKS
from floe_core.enforcement.enforce import enforce, level_of
from floe_core.enforcement.result import (
    CheckNotRun,
    EnforcementResult,
    EnforcementResultSummary,
    Finding,
    PolicyViolationError,
    Severity,
)
from floe_core.enforcement.subject import Subject

__all__ = [
    "CHECKS",
    "Check",
    "CheckNotRun",
    "EnforcementResult",
    "EnforcementResultSummary",
    "Finding",
    "PolicyViolationError",
    "Severity",
    "Subject",
    "enforce",
    "level_of",
]
