"""Building and testing a product: what `floe run` and `floe test` do."""

from __future__ import annotations

from floe_core.running.build import carry_out
from floe_core.running.order import Order, Work
from floe_core.running.outcome import Listener, Outcome, Step
from floe_core.running.places import Places

__all__ = ["Listener", "Order", "Outcome", "Places", "Step", "Work", "carry_out"]
