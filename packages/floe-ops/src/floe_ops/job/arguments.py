"""The words of the program inside of pods.

Numbers are taken as text and read by the commands, so that a mistake is told as everything else is.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_EPILOG = """\
example, in a pod with the chart's environment:
  {example}

environment:
{environment}

exit codes: 0 right, 2 bad words or environment, 3 credentials refused, 4 there with other values, 5 a service is
missing, 6 not in time; SIGTERM ends it at once
"""
_POLARIS = {
    "FLOE_POLARIS_URL": "the Polaris server",
    "FLOE_POLARIS_MANAGEMENT_URL": "its management port (8182 beside 8181)",
    "FLOE_CATALOG": "the catalog (floe-e2e)",
    "FLOE_BUCKET": "the bucket below it (floe-iceberg)",
    "POLARIS_CLIENT_ID": "the principal; its secret is POLARIS_CLIENT_SECRET",
}
_STORE = {
    "AWS_ENDPOINT_URL_S3": "the object store, as the catalog shall know it",
    "AWS_REGION": "its region (us-east-1)",
    "AWS_ACCESS_KEY_ID": "its key; the secret is AWS_SECRET_ACCESS_KEY",
}
_TRACES = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "the collector's OTLP port for HTTP",
    "FLOE_JAEGER_URL": "Jaeger's query service",
}
_DAGSTER = {"FLOE_DAGSTER_URL": "the webserver"}


def parser() -> argparse.ArgumentParser:
    """The parser; what it returns has `command`, `json`, `timeout` and what else the command takes."""
    root = argparse.ArgumentParser(
        prog="python -m floe_ops.job",
        description="What the platform's Jobs and tests run inside of the cluster.",
        epilog="each command's own --help has an example and names the environment that it reads",
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    made = _command(
        commands,
        "bootstrap",
        "make bucket, catalog, roles and grants, and verify them by value",
        "60",
        _POLARIS | _STORE,
    )
    made.add_argument("--expect-bucket", action="store_true", help="the bucket must be there; never create it")
    waiting = _command(commands, "wait", "wait until the right catalog is served, by value", "60", _POLARIS)
    waiting.add_argument("--streak", default="1", metavar="N", help="how many good looks in a row (%(default)s)")
    _command(commands, "roundtrip", "send a trace to the collector and find it in Jaeger by its id", "15", _TRACES)
    loaded = _command(commands, "dagster", "wait until every code location of Dagster is loaded", "60", _DAGSTER)
    loaded.add_argument(
        "--location", action="append", default=[], metavar="NAME", help="this one must be among them; may be repeated"
    )
    return root


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    timeout: str,
    environment: Mapping[str, str],
) -> argparse.ArgumentParser:
    rows = "\n".join(f"  {variable:<28} {what}" for variable, what in environment.items())
    made = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=_EPILOG.format(example=f"python -m floe_ops.job {name} --timeout {timeout}", environment=rows),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--timeout", default=timeout, metavar="SECONDS", help="until it gives up (%(default)s)")
    made.add_argument("--json", action="store_true", help="print the result as one JSON object to standard output")
    return made
