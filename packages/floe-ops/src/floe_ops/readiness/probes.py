"""One look at a warehouse: the probes in their order, each with its answer in words that only change with the cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from floe_catalog_polaris.client import PolarisClient
from floe_catalog_polaris.errors import PolarisForbiddenError, PolarisUnreachableError
from floe_catalog_polaris.transport import Timeouts
from floe_core.errors import CredentialsRefusedError, FloeError, WrongStateError

from floe_ops.warehouse import no_credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from floe_catalog_polaris.models import Catalog, CatalogSpec, Difference

    from floe_ops.warehouse import Warehouse

ProbeName = Literal["platform", "health", "token", "catalog"]
PROBES: tuple[ProbeName, ...] = ("platform", "health", "token", "catalog")
LIMITS = Timeouts(connect=2.0, read=5.0, total=5.0)


@dataclass(frozen=True)
class Answer:
    """What one probe saw.

    Attributes:
        probe: Which one.
        good: Whether it saw what it wants.
        text: What it saw, for people.
        error: The error this stands for, where it is more than "not yet".
        final: Whether waiting longer cannot help.
    """

    probe: ProbeName
    good: bool
    text: str
    error: FloeError | None = None
    final: bool = False


class Prober:
    """Probes one warehouse over kept connections."""

    def __init__(self, warehouse: Warehouse, *, with_catalog: bool = True) -> None:
        self.warehouse = warehouse
        self._with_catalog = with_catalog
        self._client = PolarisClient(
            warehouse.url,
            warehouse.client_id,
            warehouse.client_secret,
            management_url=warehouse.management_url,
            realm=warehouse.realm,
            timeouts=LIMITS,
            attempts=1,
        )

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def probes(self) -> tuple[Callable[[], Answer], ...]:
        """The probes in their order."""
        first = (self.health, self.token)
        return (*first, self.catalog) if self._with_catalog else first

    def health(self) -> Answer:
        """Health is the exact status; 503 while starting and 401 elsewhere are not ready."""
        wanted = self._client.healthy_status
        try:
            seen = self._client.health()
        except PolarisUnreachableError as error:
            return Answer("health", good=False, text=f"{error.reason} ({error.where})")
        if seen.status != wanted:
            return Answer("health", good=False, text=f"{seen} ({seen.where}; ready is HTTP {wanted})")
        return Answer("health", good=True, text=f"HTTP {seen.status} ({seen.where})")

    def token(self) -> Answer:
        """A token fetched now, by the credentials at hand."""
        if not self.warehouse.signs_in:
            return Answer("token", good=False, text="there are no credentials", error=no_credentials(), final=True)
        try:
            self._client.token(fresh=True)
        except CredentialsRefusedError as error:
            return Answer("token", good=False, text=f"{error.what}: {error.why}", error=error, final=True)
        except FloeError as error:
            return Answer("token", good=False, text=f"{error.why} ({error.where})")
        return Answer("token", good=True, text=f"given to client {self.warehouse.client_id!r}")

    def catalog(self) -> Answer:
        """The catalog, read with that token and compared by value."""
        spec = self.warehouse.spec()
        try:
            seen = self._client.catalog(spec.name)
        except PolarisForbiddenError as error:
            return Answer("catalog", good=False, text=error.why, error=error)
        except FloeError as error:
            return Answer("catalog", good=False, text=f"{error.why} ({error.where})")
        if seen is None:
            return Answer("catalog", good=False, text=f"the server has no catalog {spec.name!r}")
        if differences := spec.differences(seen):
            return Answer(
                "catalog",
                good=False,
                text="; ".join(map(str, differences)),
                error=wrong_catalog(spec, self.warehouse.url, differences),
                final=True,
            )
        return Answer("catalog", good=True, text=described(seen))


def described(seen: Catalog) -> str:
    """The values of a catalog in one line."""
    storage = seen.storage
    return (
        f"{seen.name}: {seen.type}, {storage.storage_type}, base location {seen.base_location}, "
        f"endpoint {storage.endpoint}, path style {str(bool(storage.path_style)).lower()}"
    )


def wrong_catalog(spec: CatalogSpec, url: str, differences: tuple[Difference, ...]) -> WrongStateError:
    """The error of a catalog with other values; its differences stand one a line."""
    return WrongStateError(
        f"catalog {spec.name!r} is there, but not as asked",
        where=url,
        why="".join(f"\n    {difference}" for difference in differences),
        remedy="delete or rename that catalog, or ask for what it is "
        "(FLOE_BUCKET, AWS_ENDPOINT_URL_S3, --catalog, --location)",
    )
