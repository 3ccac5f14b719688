"""Plugins made up as objects, for what needs no module of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from floe_core.plugins import ABCS, NoConfig, PluginConfig, PluginType
from floe_core.registry import PluginEntry, ResolvedPlugin

Make = Callable[..., ResolvedPlugin]
CONFIG = NoConfig()


def make(
    kind: PluginType, name: str, *needs: PluginType, config: PluginConfig = CONFIG, **hooks: Callable[..., Any]
) -> ResolvedPlugin:
    """A plugin of any type; `hooks` are functions without self, named as the methods that they replace."""
    abc = ABCS[kind]
    body: dict[str, Any] = dict.fromkeys(abc.__abstractmethods__, lambda *_: None)
    body |= {hook: staticmethod(function) for hook, function in hooks.items()}
    said = {"name": name, "version": "1.2.3", "floe_api_version": "1.0", "dependencies": needs}
    made: Any = type("MadeUp", (abc,), {**body, **said})
    return ResolvedPlugin(PluginEntry(kind, name, "made_up:Plugin", f"floe-{kind}-{name}", "1.2.3"), made(config))


@pytest.fixture(scope="session")
def plugin() -> Make:
    return make


@pytest.fixture
def names() -> Callable[[Sequence[tuple[PluginType, str]]], list[str]]:
    return lambda keys: [f"{kind}/{name}" for kind, name in keys]
