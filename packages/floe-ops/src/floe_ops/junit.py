"""One JUnit file for a run, joined from those of its sessions. Standard library only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # nosec B405 - only files that pytest wrote for this run are read

if TYPE_CHECKING:
    from pathlib import Path


def join(run: Path, target: Path) -> None:
    """Write every `*.junit.xml` of a run's folder into `target`, each suite named after its session.

    Where no session ran a test nothing is written and the file of the last run stays; a file cut short by a kill is
    left out.
    """
    suites = ET.Element("testsuites")
    for path in sorted(run.glob("*.junit.xml")):
        try:
            tree = ET.parse(path)  # noqa: S314  # nosec B314 - our own file
        except ET.ParseError:
            continue
        for suite in tree.iter("testsuite"):
            suite.set("name", path.name.removesuffix(".junit.xml"))
            suites.append(suite)
    if len(suites):
        half = target.with_name(f".{target.name}.{os.getpid()}")
        ET.ElementTree(suites).write(half, encoding="utf-8", xml_declaration=True)
        half.replace(target)
