"""From nothing to a catalog that is right: one idempotent program for the chart's Job, the session and the desk.

bucket → catalog → principal role → its assignment → catalog role → its grant → its assignment, each looked at before
and after it is made, then all of it verified by value once more. Nothing that is there is ever changed: a catalog
with other values ends the program with the differences. Safe to run twice at once and after a kill at any point,
since every piece is looked up, made where it is missing, and looked up again.
"""

from __future__ import annotations

from floe_ops.bootstrap.pieces import GRANT
from floe_ops.bootstrap.run import Report, Step, bootstrap, plan

__all__ = ["GRANT", "Report", "Step", "bootstrap", "plan"]
