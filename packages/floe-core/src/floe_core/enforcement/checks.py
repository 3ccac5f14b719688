"""All checks, in the order in which they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from floe_core.enforcement.approvals import ApprovedPlugins, ApprovedSinks
from floe_core.enforcement.classification import Classification, RestrictedColumns
from floe_core.enforcement.coverage import Coverage, QualityChecks
from floe_core.enforcement.dependencies import Dependencies
from floe_core.enforcement.descriptions import (
    ColumnDescriptions,
    Descriptions,
    ModelDescriptions,
    PortColumnDescriptions,
)
from floe_core.enforcement.instrumentation import Instrumentation
from floe_core.enforcement.literals import LiteralSecrets
from floe_core.enforcement.naming import NamingByTier
from floe_core.enforcement.ownership import Ownership
from floe_core.enforcement.ports import PortColumns
from floe_core.enforcement.retention import Retention
from floe_core.enforcement.tags import RequiredTags

if TYPE_CHECKING:
    from floe_core.enforcement.check import Check

CHECKS: Final[tuple[Check, ...]] = (
    Instrumentation(),
    NamingByTier(),
    Ownership(),
    Descriptions(),
    PortColumnDescriptions(),
    ModelDescriptions(),
    ColumnDescriptions(),
    RequiredTags(),
    Dependencies(),
    ApprovedPlugins(),
    ApprovedSinks(),
    Retention(),
    Classification(),
    RestrictedColumns(),
    Coverage(),
    QualityChecks(),
    PortColumns(),
    LiteralSecrets(),
)
"""One object a kind of rule; codes FLOE-E301 to FLOE-E318 in this order."""
