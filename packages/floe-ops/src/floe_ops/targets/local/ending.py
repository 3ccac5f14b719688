"""End a platform; imports little, because it is also a run's last act."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from floe_ops.targets.local import remains
from floe_ops.targets.local.supervisor import Supervisor
from floe_ops.targets.local.sweeper import sweep

if TYPE_CHECKING:
    from floe_ops.targets.local.layout import Layout


def end(layout: Layout) -> None:
    """End every process of the platform and forget its credentials; logs stay.

    Raises:
        NotReadyError: A process outlived its kill.
    """
    Supervisor(layout).end()
    remains.end(layout)
    sweep(layout.mark)
    for path in (layout.secrets, layout.record):
        path.unlink(missing_ok=True)
    shutil.rmtree(layout.specs, ignore_errors=True)
    (layout.run / "weed" / "s3.json").unlink(missing_ok=True)
    if layout.sockets != layout.run:
        shutil.rmtree(layout.sockets, ignore_errors=True)
