"""Which Dagster names and parameters a package uses, and which of them will not survive Dagster 2.0."""

from floe_ops.audits.dagster_api.audit import audit, require_clean
from floe_ops.audits.dagster_api.model import Report, Row

__all__ = ["Report", "Row", "audit", "require_clean"]
