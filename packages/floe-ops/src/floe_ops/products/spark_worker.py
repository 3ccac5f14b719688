"""Builds one product as its manifest says, in the environment that has Spark; `floe_ops.products.spark` starts it.

Arguments: the product's folder, the manifest, the folder to keep things in, the file for the outcome. Each line that it
prints is progress. What failed stands in the outcome, in the words of every error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from floe_core.errors import FloeError
from floe_core.plugins import Lane
from floe_core.running import Listener, Order, Work, carry_out
from floe_core.running.outcome import seconds

if TYPE_CHECKING:
    from floe_core.plugins import DbtNode
    from floe_core.running import Step


class _Told(Listener):
    """Progress as lines."""

    def ended(self, step: Step) -> None:
        """A step has ended well."""
        print(f"{step.name}  {step.seconds:.2f} s", flush=True)  # noqa: T201 - who started us reads it

    def node_ended(self, node: DbtNode) -> None:
        """A model or seed has ended, well or not."""
        if node.resource_type in {"model", "seed", "snapshot"} and (took := seconds(node)) is not None:
            print(f"  {node.resource_type} {node.name}: {node.status}  {took:.2f} s", flush=True)  # noqa: T201 - as above

    def noted(self, note: str) -> None:
        """Something did not go as the manifest asks."""
        print(f"  {note}", flush=True)  # noqa: T201 - as above


def main(product: str, manifest: str, target: str, outcome: str) -> int:
    """Build it; returns the exit code."""
    told: dict[str, Any] = {}
    failure: FloeError | None
    try:
        order = Order(Work.BUILD, Path(product), Path(manifest), Lane.ICEBERG, target=Path(target), traced=False)
        came_to = carry_out(order, listener=_Told())
        told, failure = came_to.as_dict(), came_to.failure
    except FloeError as error:
        failure = error
    if failure is not None:
        words = {"what": failure.what, "where": failure.where, "why": failure.why, "remedy": failure.remedy}
        told["failure"] = {**words, "exit_code": int(failure.exit_code)}
    Path(outcome).write_text(json.dumps(told), encoding="utf-8")
    return 0 if failure is None else int(failure.exit_code)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
