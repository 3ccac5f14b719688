"""What the tests of any input share: judging bytes as a file; nothing but readable problems may come out."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from floe_core.spec import FloeSpec, PlatformManifest, Problem, SpecError, yamltree
from floe_core.spec.load import Text, validated
from floe_core.spec.platform import DomainManifest
from floe_core.spec.source import Source
from floe_core.spec.yamltree import YamlError

Judge = Callable[[bytes, str], tuple[Problem, ...]]
MODELS = {"product": (FloeSpec,), "manifest": (PlatformManifest, DomainManifest)}


def _problems(raw: bytes, kind: str) -> tuple[Problem, ...]:
    try:
        source = Source("any.yaml", yamltree.parse(raw))
    except YamlError as error:
        return (Problem("FLOE-E002", "any.yaml", error.line, error.column, "", "", error.reason),)
    domain = kind == "manifest" and source.value(("scope",)) == "domain"
    try:
        validated(Text(Path("any.yaml"), raw, source), MODELS[kind][int(domain)])
    except SpecError as error:
        return error.problems
    return ()


def _judge(raw: bytes, kind: str) -> tuple[Problem, ...]:
    found = _problems(raw, kind)
    for one in found:
        assert re.fullmatch(r"FLOE-E\d{3}", one.code)
        assert one.reason
        assert "\n" not in one.reason
        assert len(str(one)) < 3000, "a message is for people"
        sized = "larger than" in one.reason
        assert sized or (one.line >= 1 and one.column >= 1)
    return found


@pytest.fixture(scope="session")
def judge() -> Judge:
    """What is wrong with some bytes as a file of a kind, `product` or `manifest`."""
    return _judge
