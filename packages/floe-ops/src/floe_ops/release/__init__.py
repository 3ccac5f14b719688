"""Release health: a Helm release that is stuck is found and brought back to its newest good revision."""

from __future__ import annotations

from floe_ops.release.heal import CannotHealError, Outcome, Reinstall, Terms, heal
from floe_ops.release.states import Action, Plan, decide, newest_good

__all__ = ["Action", "CannotHealError", "Outcome", "Plan", "Reinstall", "Terms", "decide", "heal", "newest_good"]
