"""Which of these tests the cluster in use can be asked: deselected where it cannot, never skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_ops import project
from floe_ops.targets.cluster.layout import Layout
from floe_ops.targets.cluster.providers import choosing

if TYPE_CHECKING:
    import pytest

ENFORCED = "NEEDS_ENFORCED_POLICIES"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what needs a network that enforces NetworkPolicies where the provider's does not."""
    asking = [item for item in items if getattr(getattr(item, "module", None), ENFORCED, False)]
    if asking and not choosing.enforces_policies(Layout(project.root() / ".floe")):
        config.hook.pytest_deselected(items=asking)
        items[:] = [item for item in items if item not in asking]
