"""What a run or a test of a product came to, and who is told on the way."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from floe_core.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_core.compilation import CompiledArtifacts
    from floe_core.errors import FloeError
    from floe_core.plugins import DbtNode, Lane, QualityReport, SemanticResult, TableState

FAILED: Final = frozenset({"error", "fail", "runtime error", "partial success"})
"""dbt's words for a node that failed itself."""


@dataclass(frozen=True)
class Step:
    """One part of the work.

    Attributes:
        name: `compile`, or dbt's command.
        seconds: How long it took.
    """

    name: str
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What a run or a test came to.

    Attributes:
        artifacts: The product as it was compiled.
        command: `run`, `test` or `build`.
        lane: Where its tables lie.
        engine: The version of the dbt engine.
        elapsed_s: Seconds of the whole.
        steps: What was done, in order.
        nodes: What each node did, in dbt's order.
        quality: The judgement of the tests; None where nobody judges.
        failure: Why it failed; None after a success.
        loaded: Rows that ingestion loaded, by `dataset.table`.
        tables: What the catalog has of the output ports; empty outside of the Iceberg lane.
        released: The version of the product that those snapshots were released as; empty where they were not.
        semantic: The files of the semantic layer; None where there is none, or the run did not get that far.
        notes: What did not go as the manifest asks and does not fail the work, such as an event that nobody took.
    """

    artifacts: CompiledArtifacts = field(repr=False)
    command: str
    lane: Lane
    engine: str
    elapsed_s: float
    steps: tuple[Step, ...]
    nodes: tuple[DbtNode, ...]
    quality: QualityReport | None = None
    failure: FloeError | None = None
    loaded: Mapping[str, int] = field(default_factory=dict)
    tables: tuple[TableState, ...] = ()
    released: str = ""
    semantic: SemanticResult | None = None
    notes: tuple[str, ...] = ()

    @property
    def product(self) -> str:
        """The product's name."""
        return self.artifacts.metadata.product_name

    @property
    def success(self) -> bool:
        """Whether nothing failed."""
        return self.failure is None

    @property
    def failed_nodes(self) -> tuple[DbtNode, ...]:
        """The nodes that failed themselves; those skipped because of them are left out."""
        return tuple(node for node in self.nodes if node.status in FAILED)

    @property
    def exit_code(self) -> ExitCode:
        """0 after a success, else the failure's."""
        return ExitCode.OK if self.failure is None else self.failure.exit_code

    def as_dict(self) -> dict[str, Any]:
        """The outcome as plain JSON values, without the failure, which is told like every error."""
        return {
            "ok": self.success,
            "product": self.product,
            "command": self.command,
            "lane": self.lane.value,
            "engine": self.engine,
            "elapsed_s": round(self.elapsed_s, 3),
            "steps": [{"name": step.name, "seconds": round(step.seconds, 3)} for step in self.steps],
            "nodes": [_node(node) for node in self.nodes],
            "quality": None if self.quality is None else _quality(self.quality),
            "loaded": dict(self.loaded),
            "tables": [asdict(table) for table in self.tables],
            "released": self.released,
            "semantic": None if self.semantic is None else _semantic(self.semantic),
            "notes": list(self.notes),
            "exit_code": int(self.exit_code),
        }


def seconds(node: DbtNode) -> float | None:
    """How long a node ran; None where it never did."""
    if node.started_at is None or node.finished_at is None:
        return None
    return (node.finished_at - node.started_at).total_seconds()


def _node(node: DbtNode) -> dict[str, Any]:
    took = seconds(node)
    return {
        "name": node.name,
        "type": node.resource_type,
        "status": node.status,
        "seconds": None if took is None else round(took, 3),
        "rows": node.rows,
        "message": node.message,
        "file": node.path,
        "compiled": node.compiled,
    }


def _quality(report: QualityReport) -> dict[str, Any]:
    return {
        "passed": report.passed,
        "score": report.score,
        "checks": report.checks,
        "failures": list(report.failures),
        "dimensions": {dimension.value: score for dimension, score in report.dimensions.items()},
        "findings": [{**asdict(one), "dimension": one.dimension.value} for one in report.findings],
    }


def _semantic(result: SemanticResult) -> dict[str, Any]:
    return {
        "files": [str(path) for path in result.files],
        "removed": [str(path) for path in result.removed],
        "notes": list(result.notes),
    }


class Listener:
    """Hears how the work goes on; nodes are told from dbt's threads, everything else from the caller's."""

    def compiled(self, artifacts: CompiledArtifacts) -> None:
        """The product is compiled; says what the platform wants to be logged."""

    def began(self, step: str) -> None:
        """The step of that name has begun."""

    def ended(self, step: Step) -> None:
        """A step has ended well."""

    def node_began(self, node: DbtNode) -> None:
        """A node has begun."""

    def node_ended(self, node: DbtNode) -> None:
        """A node has ended, well or not."""

    def loaded(self, table: str, rows: int) -> None:
        """A source's table is loaded."""

    def found(self, table: TableState) -> None:
        """The catalog has an output port's table."""

    def described(self, result: SemanticResult) -> None:
        """The semantic layer has its files."""

    def noted(self, note: str) -> None:
        """Something did not go as the manifest asks; the work goes on."""
