"""End the lease of a run: `python -m floe_ops.targets.release --pid N`; imports little, for a run's last act."""

from __future__ import annotations

import argparse
import sys

from floe_core.errors import FloeError


def main(arguments: list[str] | None = None) -> int:
    """Release what the process `--pid` owns and wait until its platform is gone; the exit code of the error, if any."""
    parser = argparse.ArgumentParser(prog="release", description="End the lease of a run on its target.")
    parser.add_argument("--pid", type=int, required=True, help="the process that owned it")
    pid = parser.parse_args(arguments).pid
    from floe_ops.targets import current

    try:
        current().release(pid)
    except FloeError as error:
        sys.stderr.write(f"{error}\n")
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
