"""What is known about a running platform without asking it: one JSON file, no secrets in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from floe_ops.services import LOCAL, services
from floe_ops.targets.interface import CatalogKind, Platform
from floe_ops.targets.local.layout import write_private
from floe_ops.targets.local.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from floe_ops.targets.local.programs import Program


@dataclass(frozen=True)
class Record:
    """One start of the platform.

    Attributes:
        catalog_kind: Which server speaks Polaris's protocol.
        services: The services that run here, in the order of `services.toml`.
        ports: Port by name.
        outside: URL by endpoint name of what runs elsewhere.
        fingerprint: Of what was started; another one means that the platform has to be started anew.
        demanded: The programs that were asked for beside the services, see `demand`; empty where none was.
        demanded_print: Of those.
    """

    catalog_kind: CatalogKind
    services: list[str]
    ports: dict[str, int]
    outside: dict[str, str]
    fingerprint: str
    demanded: list[str] = field(default_factory=list)
    demanded_print: str = ""

    def save(self, path: Path) -> None:
        """Write it to `path`, whole or not at all."""
        write_private(path, json.dumps(asdict(self), indent=1))

    def own_urls(self) -> dict[str, str]:
        """URL by endpoint name, for the endpoints that are served here."""
        names = [port for name in self._served() for port in services()[name].ports]
        return {name: f"http://{HOST}:{self.ports[name]}" for name in names}

    def _served(self) -> list[str]:
        return [*self.services, *(name for name in services(LOCAL) if name in self.demanded)]

    def platform(self, secrets: Mapping[str, str]) -> Platform:
        """The platform as its users see it."""
        shown = ("polaris-client-secret", "s3-access-key", "s3-secret-key")
        return Platform(
            target=LOCAL,
            catalog_kind=self.catalog_kind,
            urls=self.own_urls() | self.outside,
            client_id=secrets["polaris-client-id"],
            secrets={name: secrets[name] for name in shown},
        )


def load(path: Path) -> Record | None:
    """The record in `path`; None when it is missing or damaged."""
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def fingerprint(programs: list[Program], outside: str) -> str:
    """A digest of commands, configuration and what runs elsewhere; no secret of this start is in it."""
    digest = hashlib.sha256(outside.encode())
    for program in programs:
        digest.update(json.dumps(program.argv).encode())
        for path, text in program.files.items():
            if path.suffix == ".yaml":
                digest.update(text.encode())
    return digest.hexdigest()
