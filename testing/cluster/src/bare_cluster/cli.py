"""`bare-cluster`: a real single-node Kubernetes on a Linux machine without a container engine."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from floe_core.cli.failing import readable
from floe_core.errors import ExitCode, MissingToolError, UsageError
from floe_ops import console
from floe_ops.targets import lease

from bare_cluster import condition, layout, machine
from bare_cluster.progress import Stages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bare_cluster.condition import Condition
    from bare_cluster.layout import Layout

CODES = "0 ready, 2 usage, 4 there but wrong, 5 something is missing, 6 not ready in time"
STATE = click.option("--state", metavar="DIR", help="The cluster's folder.  [default: .floe/cluster/bare]")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
LINES = 40


def _epilog(*examples: str, codes: str = CODES) -> str:
    """What follows a command's options."""
    return "\n".join(["\b", "Examples:", *(f"  {each}" for each in examples), "", f"Exit codes: {codes}."])


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_epilog(
        "bare-cluster prepare            what this machine lacks",
        "bare-cluster up                 start, join or heal the cluster of this checkout",
        "bare-cluster load image.tar     bring images in",
        "bare-cluster kubectl get pods -A",
        "bare-cluster down --wipe        end it and delete its data",
    ),
)
def main() -> None:
    """Run a real single-node Kubernetes in namespaces of its own, without a container engine."""
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:{machine.SBIN}"


@main.command(
    epilog=_epilog(
        "bare-cluster up",
        "bare-cluster up --ends-with $$ --json",
        "bare-cluster up --state /var/tmp/second --memory-gib 8",
    )
)
@STATE
@AS_JSON
@click.option(
    "--images",
    "folder",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take all image archives in this folder, the cluster's own among them.  [default: they are made]",
)
@click.option("--cpus", type=click.FloatRange(0.5), default=2.0, show_default=True, help="CPUs for pods in all.")
@click.option("--memory-gib", type=click.FloatRange(0.5), default=4.0, show_default=True, help="Memory likewise.")
@click.option("--ends-with", metavar="PID", type=int, help="End the cluster when this process is gone.")
@readable
def up(  # noqa: PLR0913 - the options of a command
    *, state: str | None, as_json: bool, folder: Path | None, cpus: float, memory_gib: float, ends_with: int | None
) -> None:
    """Start the cluster, join it where it runs, replace it where it half runs; returns when it is ready."""
    from bare_cluster import starting

    place, stages = layout.at(state), Stages()
    machine.check(place.state, makes_images=folder is None, room=False)
    owner = _owner(ends_with)
    with contextlib.redirect_stdout(sys.stderr):  # what is built on the way is told there
        with stages.stage("programs"):
            program = _program()
        archives = _archives(folder)
    starting.up(place, starting.Wish(program, archives, cpus, memory_gib, owner), stages)
    _tell_up(place, stages, as_json=as_json)


def _tell_up(place: Layout, stages: Stages, *, as_json: bool) -> None:
    from bare_cluster import status

    if as_json:
        told = status.report(place) | {"seconds": stages.seconds | {"total": stages.total}}
        click.echo(json.dumps(told, indent=2))
    else:
        console.err().print(f"the cluster is ready after {stages.total:.1f} s", markup=False)
        click.echo(f"export KUBECONFIG={shlex.quote(str(place.kubeconfig))}")


def _owner(ends_with: int | None) -> str:
    if ends_with is None:
        return lease.DESK
    if not Path(f"/proc/{ends_with}").exists():
        raise UsageError(
            "the process that the cluster should end with is not there",
            where=f"--ends-with {ends_with}",
            why="no process has that number",
            remedy="name a living one, or leave the option out for a cluster that stays",
        )
    return str(ends_with)


def _program() -> Path:
    from floe_ops import toolchain

    return toolchain.ensure("kubernetes")


def _archives(folder: Path | None) -> list[Path]:
    if folder is not None:
        return sorted(folder.glob("*.tar"))
    from floe_ops.images import build

    from bare_cluster import images

    return [built.archive for built in build.ensure(images.ADDONS).values()]


@main.command(epilog=_epilog("bare-cluster down", "bare-cluster down --wipe"))
@STATE
@AS_JSON
@click.option("--wipe", is_flag=True, help="Delete its data too: objects, volumes, images.")
@readable
def down(*, state: str | None, as_json: bool, wipe: bool) -> None:
    """End the cluster and all it runs; its data stays for the next `up` unless it is wiped."""
    from bare_cluster import ending, starting

    place, stages = layout.at(state), Stages()
    with starting.locked(place):
        ran = condition.look(place).lives
        ending.forget_owners(place)
        ending.end(place, wipe=wipe)
    if as_json:
        click.echo(json.dumps({"ended": ran, "wiped": wipe, "seconds": stages.total}))
    else:
        click.echo(f"{'ended' if ran else 'it did not run'}{', data deleted' if wipe else ''} ({stages.total:.1f} s)")


@main.command(
    "status", epilog=_epilog("bare-cluster status --json", codes="0 ready, 4 damaged, 5 not there, 6 not ready yet")
)
@STATE
@AS_JSON
@readable
def status_command(*, state: str | None, as_json: bool) -> None:
    """Tell whether the cluster runs, whether it is ready, and which daemon ended."""
    from bare_cluster import status

    told = status.report(layout.at(state))
    click.echo(json.dumps(told, indent=2) if as_json else status.words(told))
    raise click.exceptions.Exit(int(status.exit_code(told)))


@main.command(epilog=_epilog("bare-cluster load floe.tar postgresql.tar"))
@STATE
@AS_JSON
@click.argument("archives", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@readable
def load(*, state: str | None, as_json: bool, archives: Sequence[Path]) -> None:
    """Bring the images of OCI ARCHIVES in; those that are there with the same digest are left alone."""
    from bare_cluster import images

    place, stages = layout.at(state), Stages()
    first = _running(place).first
    new = images.load(first, archives) if first else []
    if as_json:
        loaded = [{"reference": each.reference, "digest": each.digest} for each in new]
        click.echo(json.dumps({"loaded": loaded, "seconds": stages.total}, indent=2))
    else:
        lines = [f"loaded {each.reference}" for each in new] or ["all of them were there"]
        click.echo("\n".join(lines))


@main.command(epilog=_epilog("sudo .venv/bin/bare-cluster prepare --yes", codes="0 nothing is missing, 5 something is"))
@STATE
@AS_JSON
@click.option("--yes", is_flag=True, help="Install the Debian packages (as root).")
@readable
def prepare(*, state: str | None, as_json: bool, yes: bool) -> None:
    """Tell what this machine lacks to be a node; with --yes, install the packages that bring it."""
    folder = layout.at(state).state
    lacks = machine.lacks(folder)
    packages = sorted({lack.package for lack in lacks if lack.package})
    if yes and packages:
        machine.install(packages)
        lacks = machine.lacks(folder)
    if as_json:
        told = [{"what": lack.what, "remedy": lack.remedy, "package": lack.package} for lack in lacks]
        click.echo(json.dumps({"lacks": told}, indent=2))
    else:
        lines = [f"✗ {lack.what}: {lack.remedy}" for lack in lacks] or ["✓ this machine can be a node"]
        click.echo("\n".join(lines))
    raise click.exceptions.Exit(int(ExitCode.MISSING if lacks else ExitCode.OK))


@main.command(
    context_settings={
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,  # kubectl's own `--` is not ours
        "help_option_names": [],
    },
    epilog=_epilog("bare-cluster kubectl get pods --all-namespaces"),
)
@STATE
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@readable
def kubectl(*, state: str | None, words: Sequence[str]) -> None:
    """Call kubectl on the cluster; options of ours go before its words."""
    from bare_cluster import addons

    place = layout.at(state)
    settings = _running(place).settings
    if settings is not None:
        command = [*addons.kubectl(settings.program), *words]
        os.execve(command[0], command, addons.environment(place.kubeconfig, settings))  # noqa: S606  # nosec B606 - the pinned tool


@main.command(epilog=_epilog("bare-cluster logs kubelet", "bare-cluster logs --lines 5"))
@STATE
@AS_JSON
@click.option("--lines", default=LINES, show_default=True, type=click.IntRange(1), help="How many of each.")
@click.argument("daemons", nargs=-1)
@readable
def logs(*, state: str | None, as_json: bool, lines: int, daemons: Sequence[str]) -> None:
    """Print the last lines of the DAEMONS' logs, of all without a name."""
    from bare_cluster import readiness

    place = layout.at(state)
    there = sorted(path.stem for path in place.logs.glob("*.log"))
    unknown = [name for name in daemons if name not in there]
    if unknown:
        raise UsageError(
            f"there is no log of {', '.join(unknown)}",
            where=str(place.logs),
            why=f"there are: {', '.join(there) or 'none'}",
            remedy="name one of these",
        )
    told: dict[str, Any] = {name: readiness.last(place, name, lines) for name in daemons or there}
    if as_json:
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo("\n".join(f"== {name}\n" + "\n".join(text) for name, text in told.items()))


def _running(place: Layout) -> Condition:
    """The running cluster.

    Raises:
        MissingToolError: It does not run.
    """
    found = condition.look(place)
    if not found.lives:
        raise MissingToolError(
            "the cluster does not run",
            where=str(place.state),
            why="its first process is not there",
            remedy="start it: `bare-cluster up`",
        )
    return found
