"""The RBAC plugin `k8s`: what a product may do in a Kubernetes cluster, as objects that somebody else applies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from floe_core.plugins import PluginConfig, RBACPlugin
from floe_core.telemetry import span
from pydantic import Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from floe_core.plugins import Right, RightsRequest


class KubernetesRBACConfig(PluginConfig):
    """How objects are named, and what pods may be.

    Attributes:
        name_prefix: Begins the name of every object.
        pod_security: The Pod Security Standard that a namespace made here enforces.
        pod_security_version: The Kubernetes release whose wording of the standard holds; `latest` is the cluster's.
    """

    name_prefix: Annotated[str, Field(max_length=20, pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$")] = "floe"
    pod_security: Literal["restricted", "baseline"] = "restricted"
    pod_security_version: Annotated[str, Field(pattern=r"^(latest|v1\.(0|[1-9][0-9]?))$")] = "latest"


class KubernetesRBACPlugin(RBACPlugin[KubernetesRBACConfig]):
    """One service account a product, with one role in one namespace; it talks to no cluster."""

    name: ClassVar[str] = "k8s"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.rbac.k8s"
    description: ClassVar[str] = "ServiceAccount, Role and RoleBinding for Kubernetes, with the least rights"
    config_model: ClassVar[type[PluginConfig]] = KubernetesRBACConfig

    def manifests(self, request: RightsRequest) -> tuple[Mapping[str, Any], ...]:
        """Namespace (when asked for), ServiceAccount, Role and RoleBinding.

        A product without rights has a Role without rules: applied over an earlier one, it takes the rights away, which
        an object that is left out would not.

        Raises:
            RBACError: A name is none that Kubernetes accepts, or the namespace is one of its own.
        """
        from floe_rbac_k8s import names, objects

        with span("rbac.manifests") as current:
            names.check(request)
            rights = len(request.rights())
            name = names.object_name(self.config.name_prefix, request.product)
            made = [maker(request, name) for maker in (objects.service_account, objects.role, objects.role_binding)]
            if request.creates_namespace:
                config = self.config
                made.insert(0, objects.namespace(request, config.pod_security, config.pod_security_version))
            current.set_attribute("floe.product.name", request.product)
            current.set_attribute("floe.rbac.rights", rights)
            return tuple(made)

    def review(self, objects: Iterable[Mapping[str, Any]]) -> frozenset[Right]:
        """What `objects` allow the service accounts among them, by the roles and bindings among them.

        Raises:
            RBACError: An object is malformed, or a bound role is not among them.
        """
        from floe_rbac_k8s.review import review

        with span("rbac.review") as current:
            found = review(objects)
            current.set_attribute("floe.rbac.rights", len(found))
            return found
