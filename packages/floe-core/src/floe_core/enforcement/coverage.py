"""dbt's tests: how many models have one, and whether those that a product promises are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.enforcement.check import Rule, listed
from floe_core.spec.problems import nearest
from floe_core.spec.source import Advice, Point

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.dbt_manifest import DbtModel
    from floe_core.enforcement.check import Look
    from floe_core.enforcement.subject import Subject
    from floe_core.spec.product import Transform


class Coverage(Rule):
    """Enough of the models have at least one dbt test."""

    policy_type = "test_coverage"
    code = "FLOE-E315"
    of_models = True

    def not_run(self, subject: Subject) -> str:
        """When the platform asks for no coverage, or dbt's manifest cannot be used."""
        if subject.governance.minimum_test_coverage is None:
            return "governance.minimum_test_coverage is not stated"
        return subject.dbt.why

    def look(self, subject: Subject) -> Iterator[Look]:
        """Each transform that dbt knows; what is wrong with their number is told with the last."""
        models = list(subject.dbt_models(subject.dbt.known))
        yield from (() for _ in models[1:])
        if not models:
            return
        untested = [transform.name for _, transform, model in models if not model.tests]
        least, percent = subject.governance.minimum_test_coverage or 0, 100 * (1 - len(untested) / len(models))
        advice = Advice(
            f"{percent:.0f} % of the models have a dbt test, and the platform asks for {least} %: {listed(untested)}",
            remedy="give these models a test, for example not_null on their key",
        )
        enough = 100 * (len(models) - len(untested)) >= least * len(models)
        yield () if enough else (self.found(subject.product.source, ("transforms",), advice),)


class QualityChecks(Rule):
    """The dbt tests that a transform names under `qualityChecks` are there."""

    policy_type = "quality_checks"
    code = "FLOE-E316"
    of_models = True

    def not_run(self, subject: Subject) -> str:
        """When no transform names one, or dbt's manifest cannot be used."""
        named = any(transform.quality_checks for transform in subject.transforms)
        return subject.dbt.why if named else "no transform has qualityChecks"

    def look(self, subject: Subject) -> Iterator[Look]:
        """Each transform that names tests and that dbt knows."""
        for index, transform, model in subject.dbt_models(subject.dbt.known):
            if transform.quality_checks:
                yield [
                    self.found(
                        subject.product.source,
                        ("transforms", index, "qualityChecks", position),
                        _missing(transform, model, name),
                        Point.VALUE,
                    )
                    for position, name in enumerate(transform.quality_checks)
                    if name not in {one.rpartition(".")[2] for one in model.tests}
                ]


def _missing(transform: Transform, model: DbtModel, name: str) -> Advice:
    there = sorted({one.rpartition(".")[2] for one in model.tests})
    return Advice(
        f"the model {transform.name} has no dbt test {name}",
        nearest(name, there),
        f"add the test in a YAML file beside {model.path}, or correct the name"
        + (f" (there are: {listed(there)})" if there else ""),
    )
