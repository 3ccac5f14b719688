"""What a product is and offers is described: in `floe.yaml`, and in dbt's own files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.enforcement.check import Rule, listed
from floe_core.spec.source import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.dbt_manifest import DbtModel
    from floe_core.enforcement.check import Look
    from floe_core.enforcement.subject import Subject
    from floe_core.spec.source import Loc

NOT_ASKED = "governance.require_descriptions is false"
COLUMNS_NOT_ASKED = "governance.require_column_descriptions is false"


class Descriptions(Rule):
    """The product and each output port have a description."""

    policy_type = "descriptions"
    code = "FLOE-E304"

    def not_run(self, subject: Subject) -> str:
        """When the platform does not ask for descriptions."""
        return "" if subject.governance.require_descriptions else NOT_ASKED

    def look(self, subject: Subject) -> Iterator[Look]:
        """The product and each output port."""
        spec = subject.product.model
        things: list[tuple[Loc, str, str]] = [(("metadata",), "the product", spec.metadata.description)]
        things += [
            (("outputPorts", index), f"the output port {port.name}", port.description)
            for index, port in enumerate(spec.output_ports)
        ]
        for loc, name, text in things:
            advice = Advice(f"{name} has no description", remedy="add description: with one sentence")
            yield () if text.strip() else (self.found(subject.product.source, loc, advice),)


class PortColumnDescriptions(Rule):
    """Each column that an output port promises has a description."""

    policy_type = "port_column_descriptions"
    code = "FLOE-E305"

    def not_run(self, subject: Subject) -> str:
        """When the platform does not ask for it, or no port promises a column."""
        if not subject.governance.require_column_descriptions:
            return COLUMNS_NOT_ASKED
        return "" if any(port.columns for port in subject.product.model.output_ports) else "no port promises columns"

    def look(self, subject: Subject) -> Iterator[Look]:
        """Each column of each port."""
        for index, port in enumerate(subject.product.model.output_ports):
            for position, column in enumerate(port.columns):
                advice = Advice(
                    f"the column {column.name} of the output port {port.name} has no description",
                    remedy="add description: with what it holds",
                )
                loc = ("outputPorts", index, "schema", position)
                yield () if column.description.strip() else (self.found(subject.product.source, loc, advice),)


class ModelDescriptions(Rule):
    """Each model is described in dbt's files; looked up in dbt's manifest and never guessed."""

    policy_type = "model_descriptions"
    code = "FLOE-E306"
    of_models = True

    def not_run(self, subject: Subject) -> str:
        """When the platform does not ask for it, or dbt's manifest cannot be used."""
        return subject.dbt.why if subject.governance.require_descriptions else NOT_ASKED

    def look(self, subject: Subject) -> Iterator[Look]:
        """Each transform that dbt knows."""
        for index, transform, model in subject.dbt_models(subject.dbt.known):
            advice = Advice(
                f"dbt has no description of the model {transform.name}",
                remedy=f"describe it in a YAML file beside {model.path}",
            )
            loc = ("transforms", index)
            yield () if model.description.strip() else (self.found(subject.product.source, loc, advice),)


class ColumnDescriptions(Rule):
    """Each model documents its columns in dbt's files, and each of those with a description."""

    policy_type = "column_descriptions"
    code = "FLOE-E307"
    of_models = True

    def not_run(self, subject: Subject) -> str:
        """When the platform does not ask for it, or dbt's manifest cannot be used."""
        return subject.dbt.why if subject.governance.require_column_descriptions else COLUMNS_NOT_ASKED

    def look(self, subject: Subject) -> Iterator[Look]:
        """Each transform that dbt knows, with all its columns."""
        for index, transform, model in subject.dbt_models(subject.dbt.known):
            reason = _undescribed(model)
            advice = Advice(f"{reason} of the model {transform.name}", remedy=f"describe them beside {model.path}")
            yield (self.found(subject.product.source, ("transforms", index), advice),) if reason else ()


def _undescribed(model: DbtModel) -> str:
    if not model.columns:
        return "dbt knows no column"
    names = [one.name for one in model.columns.values() if not one.description.strip()]
    return f"dbt has no description of the columns {listed(names)}" if names else ""
