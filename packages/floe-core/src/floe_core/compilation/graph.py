"""The graph of a product: names that nothing has, cycles, and products that the platform does not take."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Final

from floe_core.spec import problems
from floe_core.spec.problems import nearest
from floe_core.spec.source import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from floe_core.spec.load import Document
    from floe_core.spec.platform import PlatformManifest
    from floe_core.spec.problems import Problem
    from floe_core.spec.product import FloeSpec

SHOWN: Final = 8
"""Names of a cycle that are told; and wrong names for which a near one is looked for, which costs time for each."""


def check(product: Document[FloeSpec]) -> Iterator[Problem]:
    """Everything that is wrong with the graph; a cycle is looked for only when every name is known."""
    names = Names([transform.name for transform in product.model.transforms])
    unknown = [*_unknown_dependencies(product, names), *_unknown_ports(product, names)]
    yield from unknown
    yield from _unknown_tables(product)
    if not unknown:
        yield from _cycle(product)


def check_approval(product: Document[FloeSpec], manifest: Document[PlatformManifest]) -> Iterator[Problem]:
    """The product is among those that the platform takes, where it lists them."""
    approved, name = manifest.model.approved_products, product.model.metadata.name
    if approved is not None and name not in approved:
        platform = manifest.model.metadata.name
        advice = Advice(
            f"the platform {platform} takes only the products that it lists",
            nearest(name, approved),
            f"ask its owner, {manifest.model.metadata.owner}, to add {name} to approved_products",
        )
        yield product.source.problem(problems.PRODUCT_NOT_APPROVED, ("metadata", "name"), advice)


class Names:
    """Known names; finds the one that was meant for the first few wrong ones."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._known = frozenset(names)
        self._asked = 0

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def near(self, name: str) -> str:
        """The name that was meant; empty when none is near, or when many were asked for already."""
        self._asked += 1
        return nearest(name, self._names) if self._asked <= SHOWN else ""


def _unknown_dependencies(product: Document[FloeSpec], known: Names) -> Iterator[Problem]:
    for index, transform in enumerate(product.model.transforms):
        for position, name in enumerate(transform.depends_on):
            if name not in known:
                yield product.source.problem(
                    problems.DEPENDS_ON_UNKNOWN,
                    ("transforms", index, "dependsOn", position),
                    Advice(
                        f"{transform.name} depends on a transform that this product does not have",
                        known.near(name),
                        "add the transform, or correct the name (seeds and sources are not listed)",
                    ),
                )


def _unknown_ports(product: Document[FloeSpec], known: Names) -> Iterator[Problem]:
    for index, port in enumerate(product.model.output_ports):
        if port.name not in known:
            advice = Advice(
                "an output port offers a transform, and this product has none of that name",
                known.near(port.name),
                "name one of the transforms",
            )
            yield product.source.problem(problems.PORT_UNKNOWN, ("outputPorts", index, "name"), advice)


def _unknown_tables(product: Document[FloeSpec]) -> Iterator[Problem]:
    ports = Names([port.name for port in product.model.output_ports])
    for index, destination in enumerate(product.model.destinations):
        if destination.source_table not in ports:
            advice = Advice(
                "a destination sends an output port, and this product has none of that name",
                ports.near(destination.source_table),
                "name one of the output ports, or add one",
            )
            yield product.source.problem(problems.DESTINATION_SOURCE, ("destinations", index, "sourceTable"), advice)


def _cycle(product: Document[FloeSpec]) -> Iterator[Problem]:
    graph = {transform.name: transform.depends_on for transform in product.model.transforms}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # graphlib gives each name's predecessor first; reversed it reads "a needs b needs a".
        ring = list(reversed(error.args[1]))
        told = ring if len(ring) <= SHOWN else [*ring[:SHOWN], f"… ({len(ring) - 1} in all)"]
        advice = Advice(f"the transforms need each other: {' needs '.join(told)}", remedy="remove one dependsOn")
        loc = ("transforms", list(graph).index(ring[0]), "dependsOn")
        yield product.source.problem(problems.DEPENDS_ON_CYCLE, loc, advice)
