"""The code location of the floe image: `dagster api grpc -m floe_user_code` serves every product below one folder."""

from __future__ import annotations

import os
from pathlib import Path

from floe_orchestrator_dagster.location import load_location

PRODUCTS = Path(os.environ.get("FLOE_PRODUCTS", "/app/products"))
STATE = Path(os.environ.get("FLOE_PRODUCT_STATE", "/tmp/floe"))  # noqa: S108 # nosec B108 - the only folder that a pod may write to
PARSED = Path(os.environ.get("FLOE_PRODUCTS_PARSED", "/app/parsed"))

defs = load_location(PRODUCTS, state=STATE, parsed=PARSED)
