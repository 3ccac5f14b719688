"""How carefully columns are handled: they are classified, and restricted ones stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.enforcement.check import Rule, listed
from floe_core.spec.source import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from floe_core.enforcement.check import Look
    from floe_core.enforcement.subject import Subject


class Classification(Rule):
    """Each column of an output port is classified."""

    policy_type = "classification"
    code = "FLOE-E313"

    def not_run(self, subject: Subject) -> str:
        """When the platform does not ask for it, or no port promises a column."""
        if not subject.governance.require_classification:
            return "governance.require_classification is false"
        return "" if any(port.columns for port in subject.product.model.output_ports) else "no port promises columns"

    def look(self, subject: Subject) -> Iterator[Look]:
        """Each column of each port."""
        for index, port in enumerate(subject.product.model.output_ports):
            for position, column in enumerate(port.columns):
                advice = Advice(
                    f"the column {column.name} of the output port {port.name} is not classified",
                    remedy="add classification: public, internal, confidential or pii",
                )
                loc = ("outputPorts", index, "schema", position)
                yield () if column.classification else (self.found(subject.product.source, loc, advice),)


class RestrictedColumns(Rule):
    """No column of a restricted classification goes to a destination."""

    policy_type = "restricted_columns"
    code = "FLOE-E314"

    def not_run(self, subject: Subject) -> str:
        """When nothing is restricted, or the product has no destination."""
        if not subject.governance.restricted_classifications:
            return "governance.restricted_classifications is empty"
        return "" if subject.product.model.destinations else "the product has no destinations"

    def look(self, subject: Subject) -> Iterator[Look]:
        """Each destination, with the columns of the port that it takes."""
        restricted = frozenset(subject.governance.restricted_classifications)
        ports = {port.name: port for port in subject.product.model.output_ports}
        for index, destination in enumerate(subject.product.model.destinations):
            port = ports.get(destination.source_table)
            columns = [one for one in port.columns if one.classification in restricted] if port else []
            named = listed([f"{one.name} ({one.classification})" for one in columns])
            advice = Advice(
                f"{destination.source_table} holds columns that must not leave: {named}",
                remedy="send a port without them, or classify them as what they are",
            )
            loc = ("destinations", index, "sourceTable")
            yield (self.found(subject.product.source, loc, advice),) if columns else ()
