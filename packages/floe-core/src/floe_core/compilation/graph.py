"""The graph of a product's transforms: unknown names, repeated names and cycles."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from floe_core.spec import problems
from floe_core.spec.problems import nearest
from floe_core.spec.source import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.spec.load import Document
    from floe_core.spec.problems import Problem
    from floe_core.spec.product import FloeSpec


def check(product: Document[FloeSpec]) -> Iterator[Problem]:
    """Everything that is wrong with the graph; a cycle is looked for only when every name is known."""
    first: dict[str, int] = {}
    for index, transform in enumerate(product.model.transforms):
        if transform.name in first:
            advice = Advice(
                f"two transforms have this name, the first is transforms[{first[transform.name]}]",
                remedy="rename or remove one of them",
            )
            yield product.source.problem(problems.DUPLICATE_NAME, ("transforms", index, "name"), advice)
        first.setdefault(transform.name, index)
    unknown = [*_unknown_dependencies(product, first), *_unknown_ports(product, first)]
    yield from unknown
    if not unknown:
        yield from _cycle(product, first)


def _unknown_dependencies(product: Document[FloeSpec], known: dict[str, int]) -> Iterator[Problem]:
    for index, transform in enumerate(product.model.transforms):
        for position, name in enumerate(transform.depends_on):
            if name not in known:
                yield product.source.problem(
                    problems.DEPENDS_ON_UNKNOWN,
                    ("transforms", index, "dependsOn", position),
                    Advice(
                        f"{transform.name} depends on a transform that this product does not have",
                        nearest(name, list(known)),
                        "add the transform, or correct the name (seeds and sources are not listed)",
                    ),
                )


def _unknown_ports(product: Document[FloeSpec], known: dict[str, int]) -> Iterator[Problem]:
    for index, port in enumerate(product.model.output_ports):
        if port.name not in known:
            advice = Advice(
                "an output port offers a transform, and this product has none of that name",
                nearest(port.name, list(known)),
                "name one of the transforms",
            )
            yield product.source.problem(problems.PORT_UNKNOWN, ("outputPorts", index, "name"), advice)


def _cycle(product: Document[FloeSpec], known: dict[str, int]) -> Iterator[Problem]:
    graph = {transform.name: transform.depends_on for transform in product.model.transforms}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # graphlib gives each name's predecessor first; reversed it reads "a needs b needs a".
        ring = list(reversed(error.args[1]))
        advice = Advice(f"the transforms need each other: {' needs '.join(ring)}", remedy="remove one dependsOn")
        loc = ("transforms", known[ring[0]], "dependsOn")
        yield product.source.problem(problems.DEPENDS_ON_CYCLE, loc, advice)
