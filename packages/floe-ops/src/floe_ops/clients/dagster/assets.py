"""Assets, as the workspace has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from floe_ops.clients.dagster import queries
from floe_ops.clients.dagster.answers import AssetNode
from floe_ops.clients.dagster.runs import key_of

if TYPE_CHECKING:
    from floe_ops.clients.dagster.webserver import Webserver


class Assets:
    """The assets of one Dagster."""

    def __init__(self, web: Webserver) -> None:
        self._web = web

    def nodes(self) -> list[AssetNode]:
        """Every asset of every loaded code location, by key.

        Raises:
            MissingToolError: The webserver does not answer.
            WrongStateError: It cannot tell.
        """

        def read(data: dict[str, Any]) -> list[AssetNode]:
            return sorted((_node(one) for one in data["assetNodes"]), key=lambda node: node.key)

        return self._web.data(queries.ASSETS, "assetNodes", read)


def _node(found: dict[str, Any]) -> AssetNode:
    checks = found["assetChecksOrError"].get("checks") or ()
    return AssetNode(
        key=key_of(found["assetKey"]),
        group=str(found["groupName"]),
        location=str(found["repository"]["location"]["name"]),
        kinds=tuple(str(kind) for kind in found["kinds"]),
        jobs=tuple(str(job) for job in found["jobNames"]),
        upstream=tuple(key_of(key) for key in found["dependencyKeys"]),
        checks=tuple(str(check["name"]) for check in checks),
    )
