"""Invoke tasks of the namespace `security`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from floe_ops import console, project
from floe_ops.tasks.base import task

if TYPE_CHECKING:
    from invoke.context import Context


@task()
def bandit(_context: Context) -> None:
    """Hold source and tests against bandit, and look for literal credentials: nothing may be found."""
    from floe_ops.audits import gate

    with console.step("bandit and literal credentials"):
        seen = gate.source(project.root())
    console.say(f"  {seen}")


@task(help={"canary": "look for the secrets of the platform that is up, wherever they must not be"})
def credentials(_context: Context, *, canary: bool = False) -> None:
    """Look for literal credentials in source, tests, charts, docs and workflows; values are never printed."""
    from floe_ops.audits import gate

    look = gate.canaries if canary else gate.credentials
    with console.step("secrets of this run" if canary else "literal credentials"):
        seen = look(project.root())
    console.say(f"  {seen}")


@task()
def leaks(_context: Context) -> None:
    """Look for credentials with gitleaks: tree, history, built packages, artifacts, logs of runs, image layers."""
    from floe_ops.audits import gate

    with console.step("gitleaks"):
        seen = gate.leaks(project.root())
    console.say(f"  {seen}")


@task(
    help={
        "allow_stale_advisories": "under CI, let a snapshot that is too old pass as stale",
        "json": "print the report as JSON and nothing else",
    }
)
def audit(_context: Context, *, allow_stale_advisories: bool = False, json: bool = False) -> None:
    """Hold the lock against the project and against known advisories; never green without having looked."""
    from json import dumps

    from floe_ops.audits import bearing, gate

    held, remarks = gate.floors(project.root())
    current = gate.lock_is_current(project.root())
    place = bearing.Place.of(os.environ, allow_stale=allow_stale_advisories)
    report, settled = gate.known_advisories(project.root(), place)
    if json:
        console.say(dumps(bearing.document(report), indent=2))
    else:
        console.say(f"✓ {held}")
        console.say(f"✓ {current}")
        for remark in (*remarks, *report.remarks):
            console.say(f"  {remark}")
        console.say(f"  {settled.status}: {settled.sentence}")
    if settled.error is not None:
        raise settled.error


@task(
    help={
        "json": "print floors and proposals as JSON and nothing else",
        "write": "put the proposals into pyproject.toml, sorted, each with its advisory; then run: uv lock",
    }
)
def floors(_context: Context, *, json: bool = False, write: bool = False) -> None:
    """Show the floors and propose new ones from advisories; example: invoke security.floors --write."""
    from json import dumps

    from floe_ops.audits import bearing, gate
    from floe_ops.audits.floors import listed, proposals

    root = project.root()
    found, report = listed.read(root), gate.report(root)
    proposed = proposals.propose(report.findings, found.floors)
    if write:
        proposals.write(root, proposed.floors)
    if json:
        console.say(dumps(proposals.document(found.floors, proposed, report), indent=2))
        return
    for floor in found.floors:
        console.say(f"  {floor}")
    for floor in proposed.floors:
        console.say(f"{'✓ written' if write else '  proposed'}: {floor}")
    for text in (*proposed.without_fix, *found.problems):
        console.say(f"  {text}")
    console.say(f"  {bearing.against(report)}" + ("" if proposed.floors else ": nothing to propose"))


@task(
    help={
        "output": "the folder that the documents go to (.floe/report/sbom)",
        "images": "build the images that are not built yet; otherwise those that are there are told",
    }
)
def sbom(_context: Context, *, output: str = "", images: bool = False) -> None:
    """Write bills of materials (CycloneDX) of the lock and of the images; example: invoke security.sbom."""
    from pathlib import Path

    from floe_ops.images import build
    from floe_ops.images.recipes import RECIPES
    from floe_ops.sbom import document, environment, image

    folder = Path(output) if output else project.root() / ".floe" / "report" / "sbom"
    with console.step("bills of materials") as detail:
        told = {"environment": environment.bill(project.root())}
        for built in (build.ensure([name])[name] if images else build.find(name) for name in RECIPES):
            if built is not None:
                detail(built.name)
                told[f"image-{built.name}"] = image.bill(built)
        for name, bill in told.items():
            document.write(folder / f"{name}.cdx.json", bill)
    for name, bill in told.items():
        console.say(f"✓ {folder / name}.cdx.json  {len(bill['components'])} components")
