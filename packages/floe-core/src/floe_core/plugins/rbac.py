"""RBAC: the rights that a product's processes get in the cluster."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from floe_core.errors import ExitCode, FloeError
from floe_core.plugins.interface import C, PluginMetadata, PluginType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class RBACError(FloeError):
    """The rights asked for cannot be expressed or are not allowed."""

    exit_code = ExitCode.WRONG


class Right(NamedTuple):
    """One thing that a process may do.

    Attributes:
        namespace: Where; `*` is everywhere.
        verb: The API's verb, for example `get`.
        resource: As kubectl writes it: `secrets`, `jobs.batch`, `pods/log`.
        name: The one object that it is for; empty for all of them.
    """

    namespace: str
    verb: str
    resource: str
    name: str = ""


LAUNCH_RIGHTS: Final[Mapping[str, tuple[str, ...]]] = {
    "jobs.batch": ("create", "delete", "get", "list", "watch"),
    "jobs.batch/status": ("get",),
    "pods": ("get", "list", "watch"),
    "pods/log": ("get",),
    "events": ("list",),
}
"""Verbs by resource that starting a run as a Job and following it takes, in the product's namespace."""


@dataclass(frozen=True)
class RightsRequest:
    """What a product needs.

    Attributes:
        product: The product's name; objects are named after it.
        namespace: The Kubernetes namespace.
        secrets: Names of the Secrets that its processes read through the API. One that a pod mounts or takes into
            its environment needs no right.
        config_maps: Names of the ConfigMaps that they read, likewise.
        image_pull_secrets: Names of the Secrets with which the node fetches the images; give no right to read them.
        annotations: Of the service account, by key: what binds it to an identity of the cloud. Not for secrets.
        launches_runs: Whether it starts its runs as Jobs (`LAUNCH_RIGHTS`). Whoever may start a pod may have any
            Secret of the namespace mounted into it: give such a product a namespace of its own.
        creates_namespace: Whether the namespace is among the objects, with its Pod Security level.
    """

    product: str
    namespace: str
    secrets: tuple[str, ...] = ()
    config_maps: tuple[str, ...] = ()
    image_pull_secrets: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    launches_runs: bool = False
    creates_namespace: bool = False

    def rights(self) -> frozenset[Right]:
        """Everything that the product's service account may do once the objects are there, and nothing else."""
        reads = [("secrets", name) for name in self.secrets] + [("configmaps", name) for name in self.config_maps]
        wanted = {Right(self.namespace, "get", resource, name) for resource, name in reads}
        if self.launches_runs:
            wanted |= {Right(self.namespace, verb, each) for each, verbs in LAUNCH_RIGHTS.items() for verb in verbs}
        return frozenset(wanted)


class RBACPlugin(PluginMetadata[C]):
    """A maker of rights."""

    plugin_type: ClassVar[PluginType] = PluginType.RBAC

    @abstractmethod
    def manifests(self, request: RightsRequest) -> tuple[Mapping[str, Any], ...]:
        """The Kubernetes objects that give exactly `request.rights()`, as plain JSON and in creation order.

        The same request gives the same objects; the order of its names does not matter.

        Raises:
            RBACError: They cannot be expressed.
        """

    @abstractmethod
    def review(self, objects: Iterable[Mapping[str, Any]]) -> frozenset[Right]:
        """What `objects`, made here or read from a cluster, allow the service accounts among them.

        To be held against `RightsRequest.rights()`: what is missing, and what was given on top. A wildcard is told
        as `*`.

        Raises:
            RBACError: What they allow cannot be told from them alone, for example when a role is not among them.
        """
