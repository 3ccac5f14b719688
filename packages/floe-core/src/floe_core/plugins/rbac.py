"""RBAC: the rights that a product's processes get in the cluster."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from collections.abc import Mapping


class RBACError(FloeError):
    """The rights asked for cannot be expressed or are not allowed."""

    exit_code = ExitCode.WRONG


@dataclass(frozen=True)
class RightsRequest:
    """What a product needs.

    Attributes:
        product: The product's name; objects are named after it.
        namespace: The Kubernetes namespace.
        secrets: Names of the Secrets that its processes read.
    """

    product: str
    namespace: str
    secrets: tuple[str, ...] = ()


class RBACPlugin(PluginMetadata[C]):
    """A maker of rights."""

    plugin_type: ClassVar[PluginType] = PluginType.RBAC

    @abstractmethod
    def manifests(self, request: RightsRequest) -> tuple[Mapping[str, Any], ...]:
        """The objects (ServiceAccount, Role, RoleBinding) that give exactly these rights, in creation order.

        Raises:
            RBACError: They cannot be expressed.
        """
