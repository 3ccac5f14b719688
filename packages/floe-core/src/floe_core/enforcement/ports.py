"""What an output port promises is there: its columns are among those that dbt documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.enforcement.check import Rule
from floe_core.spec.problems import nearest
from floe_core.spec.source import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.dbt_manifest import DbtModel
    from floe_core.enforcement.check import Look
    from floe_core.enforcement.result import Finding
    from floe_core.enforcement.subject import Subject
    from floe_core.spec.product import OutputPort


class PortColumns(Rule):
    """Each column of an output port is a documented column of its model."""

    policy_type = "port_columns"
    code = "FLOE-E317"

    def not_run(self, subject: Subject) -> str:
        """When no port promises a column, or dbt's manifest cannot be used."""
        promised = any(port.columns for port in subject.product.model.output_ports)
        return subject.dbt.why if promised else "no port promises columns"

    def look(self, subject: Subject) -> Iterator[Look]:
        """Each port that promises columns and whose model dbt knows."""
        for index, port in enumerate(subject.product.model.output_ports):
            model = subject.dbt.known.models.get(port.name)
            if port.columns and model is not None:
                yield list(self._missing(subject, index, port, model))

    def _missing(self, subject: Subject, index: int, port: OutputPort, model: DbtModel) -> Iterator[Finding]:
        source = subject.product.source
        if not model.columns:
            advice = Advice(
                f"the output port {port.name} promises columns, and dbt documents none of its model",
                remedy=f"document the columns in a YAML file beside {model.path}",
            )
            yield self.found(source, ("outputPorts", index, "schema"), advice)
            return
        for position, column in enumerate(port.columns):
            if column.name.lower() not in model.columns:
                advice = Advice(
                    f"the model {port.name} has no documented column {column.name}",
                    nearest(column.name, [one.name for one in model.columns.values()]),
                    f"correct the name, or document the column beside {model.path}",
                )
                yield self.found(source, ("outputPorts", index, "schema", position, "name"), advice)
