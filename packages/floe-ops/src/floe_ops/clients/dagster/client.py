"""The front of the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floe_core.errors import UsageError

from floe_ops.clients.dagster import schema, workspace
from floe_ops.clients.dagster.assets import Assets
from floe_ops.clients.dagster.automation import Automation
from floe_ops.clients.dagster.runs import Runs
from floe_ops.clients.dagster.webserver import Webserver

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_ops.clients.dagster.answers import CodeLocation, Loaded, Repository, ServerInfo


class Dagster:
    """Asks one webserver.

    Args:
        url: Its base URL, for example `http://127.0.0.1:3000`.

    Attributes:
        runs: Launch, wait, events.
        assets: What the workspace has.
        automation: Schedules and sensors.
    """

    def __init__(self, url: str) -> None:
        self._web = Webserver(url)
        self.url = self._web.url
        self.runs = Runs(self._web)
        self.assets = Assets(self._web)
        self.automation = Automation(self._web)

    def server_info(self) -> ServerInfo:
        """The versions of the running webserver.

        Raises:
            MissingToolError: It does not answer.
            WrongStateError: Something else answers.
        """
        return workspace.server_info(self._web)

    def repositories(self) -> tuple[Repository, ...]:
        """What all loaded code locations serve; raises as `server_info`, and WrongStateError for Dagster's own."""
        return workspace.repositories(self._web)

    def repository(self, location: str) -> Repository:
        """What the code location of that name serves.

        Raises:
            UsageError: No loaded code location has that name.
        """
        found = self.repositories()
        for one in found:
            if one.location == location:
                return one
        known = ", ".join(one.location for one in found) or "none"
        raise UsageError(f"there is no code location named {location!r}", where=self.url, why=f"loaded are: {known}")

    def locations(self) -> tuple[CodeLocation, ...]:
        """The code locations of the workspace, loaded or not; raises as `repositories`."""
        return workspace.locations(self._web)

    def unhealthy_daemons(self) -> dict[str, str]:
        """The daemons that should run and do not, with what each says; raises as `repositories`."""
        return workspace.unhealthy_daemons(self._web)

    def check_queries(self) -> list[str]:
        """What the served schema says against any document of this client; see `schema.problems`."""
        return schema.problems(self._web)

    def require_valid_queries(self) -> None:
        """Fail where the served schema does not accept every document of this client; see `schema.require_valid`."""
        schema.require_valid(self._web)

    def wait_until_loaded(
        self,
        deadline_s: float,
        *,
        expected: tuple[str, ...] = (),
        tell: Callable[[str], None] = lambda _line: None,
    ) -> Loaded:
        """Ask, first every 50 ms and then less often, until every code location is loaded.

        A location with an error is asked for until the deadline too: its server may be starting.

        Args:
            deadline_s: Seconds to wait at most.
            expected: Names that must be among them.
            tell: Takes a line whenever what is waited for changes.

        Raises:
            WrongStateError: A location has an error, an expected one is not in the workspace, or there is none.
            NotReadyError: The webserver did not answer in time, or a location is still loading.
        """
        return workspace.Wait(self._web, expected, tell).until(deadline_s)
