"""How a cluster is made: chosen at its first start and kept beside its data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import WrongStateError
from floe_ops.targets.local.layout import write_private
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bare_cluster.network import Network

if TYPE_CHECKING:
    from bare_cluster.layout import Layout

NODE = "bare"
"""The node's name."""


class Settings(BaseModel):
    """What a running cluster was started with.

    Attributes:
        slot: Of its addresses.
        cpus: That pods may request in all.
        memory_gib: Likewise; the node is small on purpose, so that what does not fit a small node is found out.
        program: All of Kubernetes in one file.
        pause: The image that holds a pod's namespaces.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slot: int = Field(ge=0, le=255)
    cpus: float = Field(gt=0)
    memory_gib: float = Field(gt=0)
    program: Path
    pause: str

    @property
    def network(self) -> Network:
        """Its addresses."""
        return Network(self.slot)

    @property
    def group(self) -> str:
        """The name of its control groups: the same as that of its link."""
        return self.network.link


def write(layout: Layout, settings: Settings) -> None:
    """Keep them."""
    write_private(layout.settings, settings.model_dump_json(indent=2))


def read(layout: Layout) -> Settings | None:
    """Those of the last start; None where there was none.

    Raises:
        WrongStateError: The file is not what `write` wrote.
    """
    try:
        text = layout.settings.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return Settings.model_validate_json(text)
    except ValidationError as error:
        raise WrongStateError(
            "the cluster's settings cannot be read",
            where=str(layout.settings),
            why=str(error).splitlines()[0],
            remedy="delete the cluster with its data: `bare-cluster down --wipe`",
        ) from None
