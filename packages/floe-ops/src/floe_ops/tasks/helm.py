"""Invoke tasks of the namespace `helm`: the chart, and the release that it makes."""

from __future__ import annotations

import json as jsonlib
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from floe_core.errors import UsageError

from floe_ops import console, project, words
from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from collections.abc import Callable

    from invoke.context import Context

    from floe_ops.clients.helm import Helm, Values
    from floe_ops.release import Outcome

CHART = "charts/floe-platform"
RELEASE, NAMESPACE = "floe", "floe-test"
TEST_VALUES = "test"
NAMED = {"release": "its name (floe)", "namespace": "where it is (floe-test)"}
WHERE = {**NAMED, "context": "of the kubeconfig, named on purpose (FLOE_KUBE_CONTEXT, else the cluster in use)"}
VALUES = {"values": "values files, by commas: a path, or `test`, `dev`, `prod` for the chart's own"}


@task(help=VALUES)
def lint(_context: Context, values: str = "") -> None:
    """Lint the chart and its subchart with each of the chart's values files, warnings included.

    invoke helm.lint
    """
    helm = _helm()
    for given in [_values(values)] if values else [_values(name) for name in ("", *_own())]:
        helm.lint(_chart(), given)
        console.say(f"✓ {', '.join(file.name for file in given.files) or 'values.yaml'}")


@task(help={**VALUES, **NAMED, "kube-version": "the Kubernetes to render for, 1.34"})
def template(
    _context: Context, values: str = "", release: str = RELEASE, namespace: str = NAMESPACE, kube_version: str = ""
) -> None:
    """Print what the chart renders to; needs no cluster.

    invoke helm.template --values test | less
    """
    print(_helm(namespace).template(release, _chart(), _values(values), kube_version=kube_version))  # noqa: T201 - as it is


@task(help={"json": "print JSON for programs"})
def unit(_context: Context, json: bool = False) -> None:
    """Run the unit tests of the chart and its subchart, and count them.

    invoke helm.unit
    """
    from floe_ops.chart import unit as running

    counts = running.check([_chart(), *_subcharts()])
    if json:
        console.say(jsonlib.dumps([asdict(count) for count in counts]))
        return
    for count in counts:
        console.say(f"✓ {count.chart:<16} {count.passed} tests in {count.suites} suites")
    console.say(f"✓ {sum(count.passed for count in counts)} tests of {len(counts)} charts passed")


@task()
def schema(_context: Context) -> None:
    """Hold values against schema and comments, and what every values file renders to against Kubernetes 1.30 and later.

    invoke helm.schema
    """
    from floe_ops.chart import manifests
    from floe_ops.chart import schema as holding

    for chart in (_chart(), *_subcharts()):
        console.say(f"✓ {chart.name:<16} {holding.check(chart)} keys are in values and schema alike")
    tried = manifests.versions()
    for name, count in manifests.check(_helm(), _chart()).items():
        console.say(f"✓ {name:<16} {count} objects are what Kubernetes {tried[0]} to {tried[-1]} asks")


@task(help={**VALUES, **WHERE, "timeout": "seconds (300)", "no-wait": "do not wait until all is ready"})
def install(  # noqa: PLR0913 - one parameter a flag
    _context: Context,
    *,
    values: str = TEST_VALUES,
    release: str = RELEASE,
    namespace: str = NAMESPACE,
    context: str = "",
    timeout: str = "300",
    no_wait: bool = False,
) -> None:
    """Install the platform's chart, and wait until everything is ready; shows what Helm waits for.

    invoke helm.install --values test
    """
    helm = _reach(release, namespace, context, hear=console.say).within(words.seconds(timeout, "--timeout"))
    with console.step(f"installing {release} in {namespace}"):
        done = helm.install(release, _chart(), _values(values), wait=not no_wait, make_namespace=True)
    console.say(f"✓ {done.name} {done.status}, revision {done.revision}")


@task(help={**VALUES, **WHERE, "timeout": "seconds (300)", "keep-failed": "do not roll back what failed"})
def upgrade(  # noqa: PLR0913 - one parameter a flag
    _context: Context,
    *,
    values: str = TEST_VALUES,
    release: str = RELEASE,
    namespace: str = NAMESPACE,
    context: str = "",
    timeout: str = "300",
    keep_failed: bool = False,
) -> None:
    """Heal the release if it is stuck, then upgrade it (or install it), and roll back if that fails.

    invoke helm.upgrade --values test,my-values.yaml
    """
    from floe_ops.release import heal

    helm = _reach(release, namespace, context, hear=console.say).within(words.seconds(timeout, "--timeout"))
    _show(heal(helm, release, tell=console.say))
    with console.step(f"upgrading {release} in {namespace}"):
        done = helm.upgrade(
            release, _chart(), _values(values), install=True, atomic=not keep_failed, make_namespace=True
        )
    console.say(f"✓ {done.name} {done.status}, revision {done.revision}")


@task(name="test", help={**WHERE, "timeout": "seconds (300)"})
def run_tests(
    _context: Context, release: str = RELEASE, namespace: str = NAMESPACE, context: str = "", timeout: str = "300"
) -> None:
    """Run the tests that the chart brings, in the cluster, and print their logs.

    invoke helm.test
    """
    helm = _reach(release, namespace, context).within(words.seconds(timeout, "--timeout"))
    console.say(helm.test(release))


@task(
    help={
        **WHERE,
        **VALUES,
        "dry-run": "say what would be done, change nothing",
        "reinstall": "where nothing good is there to go back to: uninstall and install; claims keep their data",
        "stuck-after": "seconds after which a Helm at work is held to be dead (300, as long as Helm itself waits)",
        "timeout": "seconds for all of it (600)",
        "json": "print JSON for programs",
    }
)
def recover(  # noqa: PLR0913 - one parameter a flag
    _context: Context,
    *,
    release: str = RELEASE,
    namespace: str = NAMESPACE,
    context: str = "",
    values: str = "",
    dry_run: bool = False,
    reinstall: bool = False,
    stuck_after: str = "300",
    timeout: str = "600",
    json: bool = False,
) -> None:
    """Bring a stuck release back to its newest good revision. Ends with 0 healed or healthy, 4 cannot, 6 not in time.

    invoke helm.recover --dry-run
    invoke helm.recover --stuck-after 0      # nobody else is at work, do it now
    """
    from floe_ops.release import CannotHealError, Reinstall, Terms, heal

    patience = 0.0 if stuck_after.strip() in {"0", "0s"} else words.seconds(stuck_after, "--stuck-after")
    terms = Terms(patience, words.seconds(timeout, "--timeout"), dry_run)
    anew = Reinstall(_chart(), _values(values) if values else None) if reinstall else None
    tell = (lambda _line: None) if json else console.say
    helm = _reach(release, namespace, context, tell=_aside if json else console.say)
    try:
        outcome = heal(helm, release, terms, reinstall=anew, tell=tell)
    except CannotHealError as error:
        if json:
            console.say(jsonlib.dumps({"state": "refused", **asdict(error.plan)}))
        raise
    if json:
        console.say(jsonlib.dumps(asdict(outcome)))
    else:
        _show(outcome)


@task(name="pin-images", help={"write": "write the digests into the values files; without it nothing is changed"})
def pin_images(_context: Context, write: bool = False) -> None:
    """Ask the registries for the digest of every image of the values files.

    invoke helm.pin-images
    invoke helm.pin-images --write
    """
    from floe_ops.chart import pins

    root = _chart()
    files = [file for chart in (root, *_subcharts()) for file in sorted(chart.glob("values*.yaml"))]
    found = pins.resolve(files)
    for pin in found:
        image = f"{pin.image.repository}:{pin.image.tag}"
        state = f"left as it is: {pin.why_not}" if pin.why_not else "new" if pin.changed else "as it is"
        console.say(f"{pin.image.file.relative_to(root)}  {pin.image.path}  {image}  {pin.digest or '-'}  {state}")
    changed = sum(pin.changed for pin in found)
    if write:
        pins.write(found)
    console.say(f"{changed} of {len(found)} digests {'written' if write else 'would be written (--write)'}")


@task(help={"most": "how many changes to make in each chart (40)"})
def mutate(_context: Context, most: str = "40") -> None:
    """Make small wrong changes to copies of the chart, and name those that no unit test sees.

    invoke helm.mutate --most 200
    """
    from floe_ops.chart import mutate as mutating

    count = words.count(most, "--most", most=10_000)
    for chart in (_chart(), *_subcharts()):
        done = mutating.run(chart, count, console.say)
        seen = done.made - len(done.survivors)
        console.say(f"{done.chart}: {seen} of {done.made} changes were seen ({done.possible} are known)")


def _helm(namespace: str = NAMESPACE) -> Helm:
    """A Helm for what needs no cluster."""
    from floe_ops.clients.helm import Place, choose

    return choose(Place(namespace))


def _reach(
    release: str,
    namespace: str,
    context: str,
    *,
    hear: Callable[[str], None] | None = None,
    tell: Callable[[str], None] = console.say,
) -> Helm:
    """A Helm for the cluster that is meant; a context that was named counts for the tasks after this one too."""
    from floe_ops.clients.helm import choose
    from floe_ops.release.place import find

    if context:
        os.environ["FLOE_KUBE_CONTEXT"] = context
    return choose(find(release, namespace, tell), hear=hear)


def _aside(line: str) -> None:
    """Say it where it does not mix with JSON."""
    console.err().print(line, markup=False)


def _chart() -> Path:
    return project.root() / CHART


def _subcharts() -> list[Path]:
    return sorted((_chart() / "charts").glob("*/"))


def _own() -> list[str]:
    """The chart's own values files, by the word that names them."""
    return [file.stem.removeprefix("values-") for file in sorted(_chart().glob("values-*.yaml"))]


def _values(text: str) -> Values:
    from floe_ops.clients.helm import Values

    own = _own()
    named = [word.strip() for word in text.split(",") if word.strip()]
    files = tuple(_chart() / f"values-{word}.yaml" if word in own else Path(word) for word in named)
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise UsageError(
            "a values file is missing",
            where=", ".join(missing),
            remedy=f"name a file that is there, or one of the chart's own: {', '.join(own)}",
        )
    return Values(files)


def _show(outcome: Outcome) -> None:
    if outcome.state == "planned":
        console.say(f"would heal {outcome.release}: {outcome.reason}")
    elif outcome.state != "absent":
        console.say(f"✓ {outcome.release} {outcome.state}, revision {outcome.now}, after {outcome.seconds:.1f} s")
    else:
        console.say(f"{outcome.release}: {outcome.reason}")
