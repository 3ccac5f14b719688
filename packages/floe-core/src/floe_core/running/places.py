"""Where a build of a product keeps what it makes: everything lies in one folder, by default the product's `target/`."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from floe_core.plugins import Lane


@dataclass(frozen=True)
class Places:
    """The places of one product in one lane.

    Attributes:
        product_dir: The folder with `floe.yaml` and the dbt project.
        target: What can be made again.
        lane: The part of it that belongs to this lane.
    """

    product_dir: Path
    target: Path
    lane: Path

    @classmethod
    def of(cls, product: Path, lane: Lane, target: Path | None = None) -> Places:
        """The places of `product`, a folder or its `floe.yaml`; in its own `target/` unless `target` says otherwise."""
        folder = (product if product.is_dir() else product.parent).resolve()
        kept = folder / "target" if target is None else target.resolve()
        return cls(folder, kept, kept / "lanes" / lane.value)

    @property
    def artifacts(self) -> Path:
        """The compiled product; the same for all lanes."""
        return self.target / "compiled_artifacts.json"

    @property
    def lock(self) -> Path:
        """Held while a build runs."""
        return self.target / "build.lock"

    @property
    def profiles(self) -> Path:
        """The folder with the compiled `profiles.yml`."""
        return self.lane / "profiles"

    @property
    def dbt(self) -> Path:
        """Where dbt works; another program reads `dbt_manifest` instead, which is always whole."""
        return self.lane / "dbt"

    @property
    def logs(self) -> Path:
        """The folder of dbt's own log."""
        return self.lane / "logs"

    @property
    def undone(self) -> Path:
        """What the last build left undone; missing after one that ended well."""
        return self.lane / "undone.json"

    @property
    def dbt_manifest(self) -> Path:
        """The manifest of the last build, in the place where dbt itself would put it."""
        return self.target / "manifest.json"

    @property
    def semantic(self) -> Path:
        """The files of the semantic layer, which are of the last run."""
        return self.target / "semantic"

    def keep_manifest(self) -> None:
        """Put dbt's manifest beside the artifacts, whole or not at all; nothing where dbt has made none."""
        made = self.dbt / self.dbt_manifest.name
        if not made.is_file():
            return
        with tempfile.NamedTemporaryFile(prefix=".manifest.", dir=self.target, delete=False) as stream:
            temporary = Path(stream.name)
        try:
            shutil.copyfile(made, temporary)
            temporary.chmod(0o644)
            temporary.replace(self.dbt_manifest)
        finally:
            temporary.unlink(missing_ok=True)
