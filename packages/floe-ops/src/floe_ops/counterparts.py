"""The real programs that plugins are proved against, made before a suite needs them, so that people see them made.

Each comes from pinned modules or packages, is kept under `.floe/tools`, and serves on loopback only while a test runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PROGRAMS: Final[Mapping[str, str]] = {
    "alertmanager": "takes what the alert channel sends",
    "dex": "issues the tokens that the identity plugin verifies",
    "kubernetes": "an API server that says what the RBAC plugin's objects allow",
}
"""Programs built from Go modules, and what each is for."""

PACKAGES: Final[Mapping[str, str]] = {"cube-schema": "Cube's own compiler, which reads the semantic layer's files"}
"""Packages of npm, and what each is for."""


def ensure() -> Iterator[tuple[str, str, Path]]:
    """Make what is not there yet; name, purpose and place of each.

    Raises:
        FloeError: One cannot be made; says what is missing.
    """
    from floe_ops import toolchain
    from floe_ops.toolchain import npm

    for name, purpose in PROGRAMS.items():
        yield name, purpose, toolchain.ensure(name)
    for name, purpose in PACKAGES.items():
        yield name, purpose, npm.ensure(name).home
