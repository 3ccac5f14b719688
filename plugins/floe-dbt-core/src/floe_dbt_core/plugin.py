"""The dbt engine of the platform: dbt-core inside of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from floe_core.plugins import DBTPlugin, DbtRequest, DbtResult, NoConfig

from floe_dbt_core.parsed import Parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_core.plugins import DbtNode


class DBTCorePlugin(DBTPlugin[NoConfig]):
    """Runs dbt-core by its programmatic runner: one import a process instead of one a command."""

    name: ClassVar[str] = "core"
    version: ClassVar[str] = "0.1.0"
    floe_api_version: ClassVar[str] = "1.0"
    tracer_name: ClassVar[str | None] = "floe.dbt"
    description: ClassVar[str] = "dbt-core, in process"

    def __init__(self, config: NoConfig) -> None:
        super().__init__(config)
        self._parsed = Parsed()

    def run(
        self,
        request: DbtRequest,
        *,
        on_node: Callable[[DbtNode], None] | None = None,
        on_start: Callable[[DbtNode], None] | None = None,
    ) -> DbtResult:
        """Run one command below the current span, with a span a node.

        dbt changes the working directory and global state while it runs, so commands of one process follow one
        another; the working directory, the environment and the database file are given back at the end.

        Raises:
            DbtProjectError: The project cannot be parsed; names the file.
            DbtTargetError: The profile has no such target; names those it has.
            DbtDatabaseError: The database file is locked, or cannot be opened; names it and who holds it.
            DbtError: dbt ended before it ran any node.
        """
        from floe_dbt_core.runner import Invocation

        return Invocation(request, on_node, on_start, self._parsed).run()

    def engine_version(self) -> str:
        """The installed dbt-core, for example `1.11.16`."""
        from importlib.metadata import version

        return version("dbt-core")
