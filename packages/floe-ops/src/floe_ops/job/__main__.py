"""The entry of `python -m floe_ops.job`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from floe_core.errors import FloeError

from floe_ops import shown
from floe_ops.job import commands, log
from floe_ops.job.arguments import parser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    options = parser().parse_args(arguments)
    log.end_on_sigterm()
    try:
        result = commands.COMMANDS[options.command](options)
    except FloeError as error:
        log.say(f"✗ {error}")
        if options.json:
            _print_json(shown.failure_json(error))
        return int(error.exit_code)
    if options.json:
        _print_json({"exit_code": 0} | result)
    return 0


def _print_json(result: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
