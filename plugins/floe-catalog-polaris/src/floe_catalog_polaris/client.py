"""The typed client of a Polaris server: token, health and the management API.

Used by everything that talks to Polaris: the wait, the bootstrap, the scripts, the tests and the catalog plugin.
Names, paths and bodies follow Apache Polaris 1.4.1; request bodies are nested, since older servers take no others.

What is repeated after a failure: requests that a second time changes nothing (GET, PUT, DELETE), and creations only
where no connection was made, so the server cannot have seen them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_after_delay, wait_random_exponential

from floe_catalog_polaris.auth import (
    BAD_REQUEST,
    NOT_FOUND,
    OK,
    PASSING,
    SCOPE,
    UNAUTHORIZED,
    Credentials,
    TokenSource,
    refused,
)
from floe_catalog_polaris.errors import (
    PolarisAnswerError,
    PolarisConflictError,
    PolarisForbiddenError,
    PolarisUnavailableError,
    PolarisUnreachableError,
)
from floe_catalog_polaris.models import Catalog, CatalogSpec, Grant, Principal, Role, WarehouseConfig
from floe_catalog_polaris.transport import Exchange, Timeouts, Transport
from floe_catalog_polaris.urls import default_management_url, segment, server_url

if TYPE_CHECKING:
    from types import TracebackType

M = TypeVar("M", bound=BaseModel)

MANAGEMENT = "/api/management/v1"
ICEBERG = "/api/catalog/v1"
READY_PATH = "/q/health/ready"
FORBIDDEN, CONFLICT, SERVER_ERROR = 403, 409, 500
DUPLICATE_STATE = "23505"
"""SQL's state for a duplicate key: under JDBC persistence a repeated grant is answered 500 with it in the body."""


class PolarisClient:
    """One principal at one server; safe to use from several threads, to be closed after use."""

    def __init__(  # noqa: PLR0913 - keyword-only settings of a connection
        self,
        url: str,
        client_id: str,
        client_secret: SecretStr | str,
        *,
        management_url: str | None = None,
        realm: str | None = None,
        scope: str = SCOPE,
        timeouts: Timeouts | None = None,
        attempts: int = 4,
    ) -> None:
        self.url = server_url(url)
        self.management_url = (
            server_url(management_url, name="FLOE_POLARIS_MANAGEMENT_URL")
            if management_url
            else default_management_url(self.url)
        )
        self.timeouts = timeouts or Timeouts()
        secret = client_secret if isinstance(client_secret, SecretStr) else SecretStr(client_secret)
        self._attempts = attempts
        self._api = Transport(self.url, self.timeouts, realm)
        self._health = Transport(self.management_url, self.timeouts) if self.management_url else None
        self._tokens = TokenSource(self._api, Credentials(client_id, secret, scope))

    def __repr__(self) -> str:
        return f"PolarisClient(url={self.url!r}, client_id={self.client_id!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._api.close()
        if self._health is not None:
            self._health.close()

    @property
    def client_id(self) -> str:
        """The client id that signs in."""
        return self._tokens.credentials.client_id

    # Health and token

    def health(self) -> Exchange:
        """One look at `/q/health/ready` of the management port, without a token and never repeated.

        Ready is HTTP 200 exactly; the caller compares. Without a management URL the API port is asked for its
        Iceberg configuration instead, which a live Polaris answers with 401.

        Raises:
            PolarisUnreachableError: No answer came.
        """
        if self._health is not None:
            return self._health.send("GET", READY_PATH, deadline=self._deadline())
        return self._api.send("GET", f"{ICEBERG}/config", deadline=self._deadline())

    @property
    def healthy_status(self) -> int:
        """The status of `health` that means ready."""
        return OK if self._health is not None else UNAUTHORIZED

    def token(self, *, fresh: bool = False) -> str:
        """A bearer token that is good now; a `fresh` one was fetched in this call.

        Raises:
            CredentialsRefusedError: Names the client id and the endpoint.
            PolarisUnreachableError: No answer came, repeatedly.
            PolarisUnavailableError: The server is not up yet.
            PolarisAnswerError: The answer is none of Polaris's.
        """
        deadline = self._deadline()
        return self._retrying(deadline, repeatable=True)(self._tokens.get, deadline=deadline, fresh=fresh)

    # Catalogs

    def catalogs(self) -> tuple[Catalog, ...]:
        """All catalogs that the principal may list."""
        return self._list("catalogs", "catalogs", Catalog)

    def catalog(self, name: str) -> Catalog | None:
        """The catalog `name`, or None when the server has none of that name."""
        return self._get(f"catalogs/{segment(name)}", Catalog)

    def create_catalog(self, spec: CatalogSpec) -> bool:
        """Create the catalog; True when this call made it, False when one of that name was there already."""
        return self._create("catalogs", spec.body())

    def delete_catalog(self, name: str) -> bool:
        """Delete an empty catalog; False when there was none."""
        return self._delete(f"catalogs/{segment(name)}")

    # Principals and their roles

    def principal_of(self, client_id: str) -> Principal | None:
        """The principal that signs in as `client_id`, or None; its name need not be equal to the id."""
        return next((p for p in self._list("principals", "principals", Principal) if p.client_id == client_id), None)

    def principal_role(self, name: str) -> Role | None:
        """The principal role `name`, or None."""
        return self._get(f"principal-roles/{segment(name)}", Role)

    def create_principal_role(self, name: str) -> bool:
        """Create a principal role; False when it was there already."""
        return self._create("principal-roles", {"principalRole": {"name": name}})

    def delete_principal_role(self, name: str) -> bool:
        """Delete a principal role; False when there was none."""
        return self._delete(f"principal-roles/{segment(name)}")

    def roles_of_principal(self, principal: str) -> tuple[str, ...]:
        """Names of the principal roles that `principal` holds."""
        found = self._list(f"principals/{segment(principal)}/principal-roles", "roles", Role)
        return tuple(role.name for role in found)

    def assign_principal_role(self, principal: str, role: str) -> None:
        """Give `principal` the principal role; nothing happens when it holds it."""
        self._put(f"principals/{segment(principal)}/principal-roles", {"principalRole": {"name": role}})

    # Catalog roles and grants

    def catalog_role(self, catalog: str, name: str) -> Role | None:
        """The role `name` of a catalog, or None."""
        return self._get(f"catalogs/{segment(catalog)}/catalog-roles/{segment(name)}", Role)

    def create_catalog_role(self, catalog: str, name: str) -> bool:
        """Create a role in a catalog; False when it was there already."""
        return self._create(f"catalogs/{segment(catalog)}/catalog-roles", {"catalogRole": {"name": name}})

    def delete_catalog_role(self, catalog: str, name: str) -> bool:
        """Delete a role of a catalog; False when there was none."""
        return self._delete(f"catalogs/{segment(catalog)}/catalog-roles/{segment(name)}")

    def catalog_roles_of(self, principal_role: str, catalog: str) -> tuple[str, ...]:
        """Names of the roles of `catalog` that the principal role holds."""
        path = f"principal-roles/{segment(principal_role)}/catalog-roles/{segment(catalog)}"
        return tuple(role.name for role in self._list(path, "roles", Role))

    def assign_catalog_role(self, principal_role: str, catalog: str, role: str) -> None:
        """Give the principal role a role of `catalog`; nothing happens when it holds it."""
        path = f"principal-roles/{segment(principal_role)}/catalog-roles/{segment(catalog)}"
        self._put(path, {"catalogRole": {"name": role}})

    def grants(self, catalog: str, role: str) -> tuple[Grant, ...]:
        """What a role of a catalog may do."""
        path = f"catalogs/{segment(catalog)}/catalog-roles/{segment(role)}/grants"
        return self._list(path, "grants", Grant)

    def grant_on_catalog(self, catalog: str, role: str, privilege: str) -> None:
        """Grant a privilege on the whole catalog; nothing happens when it is granted."""
        path = f"catalogs/{segment(catalog)}/catalog-roles/{segment(role)}/grants"
        self._put(path, {"grant": {"type": "catalog", "privilege": privilege}})

    # Iceberg

    def warehouse(self, catalog: str) -> WarehouseConfig | None:
        """What an Iceberg client is told about `catalog`, or None when the server has no such warehouse."""
        answer = self._call("GET", f"{ICEBERG}/config", query={"warehouse": catalog})
        return None if _is_missing(answer) else self._read(answer, WarehouseConfig)

    def namespaces(self, catalog: str) -> tuple[str, ...]:
        """Top-level namespaces of `catalog`; needs a privilege on its content.

        Raises:
            PolarisForbiddenError: The principal may not see the content.
        """
        answer = self._accept(self._call("GET", f"{ICEBERG}/{segment(catalog)}/namespaces"))
        try:
            return tuple(".".join(levels) for levels in answer.body["namespaces"])
        except (KeyError, TypeError) as error:
            raise _odd(answer, "the answer holds no list `namespaces`") from error

    # The pieces

    def _deadline(self) -> float:
        return time.monotonic() + self.timeouts.total

    def _get(self, path: str, model: type[M]) -> M | None:
        answer = self._call("GET", f"{MANAGEMENT}/{path}")
        return None if _is_missing(answer) else self._read(answer, model)

    def _list(self, path: str, key: str, model: type[M]) -> tuple[M, ...]:
        answer = self._accept(self._call("GET", f"{MANAGEMENT}/{path}"))
        try:
            return tuple(model.model_validate(item) for item in answer.body[key])
        except (KeyError, TypeError, ValidationError) as error:
            raise _odd(answer, f"the answer holds no list {key!r} of the expected shape") from error

    def _read(self, answer: Exchange, model: type[M]) -> M:
        try:
            return model.model_validate(self._accept(answer).body)
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, item["loc"])) or "body" for item in error.errors())
            raise _odd(answer, f"missing or of another shape: {fields}") from error

    def _create(self, path: str, body: dict[str, Any]) -> bool:
        answer = self._call("POST", f"{MANAGEMENT}/{path}", payload=body)
        if answer.status == CONFLICT or _is_duplicate(answer):
            return False
        self._accept(answer)
        return True

    def _put(self, path: str, body: dict[str, Any]) -> None:
        answer = self._call("PUT", f"{MANAGEMENT}/{path}", payload=body)
        if not _is_duplicate(answer):
            self._accept(answer)

    def _delete(self, path: str) -> bool:
        answer = self._call("DELETE", f"{MANAGEMENT}/{path}")
        if _is_missing(answer):
            return False
        self._accept(answer)
        return True

    def _call(self, method: str, path: str, **parts: Any) -> Exchange:
        """One request with a token; a token that the server forgot is renewed once."""
        deadline = self._deadline()

        def attempt() -> Exchange:
            token = self._tokens.get(deadline=deadline)
            answer = self._api.send(method, path, deadline=deadline, token=token, **parts)
            if answer.status == UNAUTHORIZED:
                self._tokens.drop(token)
                token = self._tokens.get(deadline=deadline)
                answer = self._api.send(method, path, deadline=deadline, token=token, **parts)
            if answer.status == UNAUTHORIZED:
                raise refused(self.client_id, answer.where, f"a new token was refused too: {answer}")
            if answer.status in PASSING:
                raise PolarisUnavailableError(
                    "Polaris is not available", where=answer.where, why=str(answer), remedy="try again shortly"
                )
            return answer

        return self._retrying(deadline, repeatable=method != "POST")(attempt)

    def _retrying(self, deadline: float, *, repeatable: bool) -> Retrying:
        def passing(error: BaseException) -> bool:
            if isinstance(error, PolarisUnreachableError):
                return repeatable or not error.sent
            return repeatable and isinstance(error, PolarisUnavailableError)

        left = max(deadline - time.monotonic(), 0)
        return Retrying(
            retry=retry_if_exception(passing),
            stop=stop_after_attempt(self._attempts) | stop_after_delay(left),
            wait=wait_random_exponential(multiplier=0.05, max=1),
            reraise=True,
        )

    def _accept(self, answer: Exchange) -> Exchange:
        """The answer when its status says success, else the error that it stands for."""
        if OK <= answer.status < OK + 100:
            return answer
        if answer.status == FORBIDDEN:
            raise PolarisForbiddenError(
                f"principal of client {self.client_id!r} may not do this",
                where=answer.where,
                why=str(answer),
                remedy="sign in as a principal with more rights, or have the role granted",
            )
        if answer.status == CONFLICT:
            raise PolarisConflictError(
                "Polaris saw a conflicting change",
                where=answer.where,
                why=str(answer),
                remedy="run it again",
                status=answer.status,
            )
        raise _odd(answer, str(answer))


def _is_missing(answer: Exchange) -> bool:
    """A 404 that speaks of a thing; a path or a realm that the server does not know is another matter."""
    if answer.status != NOT_FOUND or answer.error_type in {"", "MissingOrInvalidRealm"}:
        return False
    return answer.message != "HTTP 404 Not Found"


def _is_duplicate(answer: Exchange) -> bool:
    return answer.status == SERVER_ERROR and DUPLICATE_STATE in answer.text


def _odd(answer: Exchange, why: str) -> PolarisAnswerError:
    remedy = "check that FLOE_POLARIS_URL names an Apache Polaris server"
    if answer.error_type == "MissingOrInvalidRealm":
        remedy = "name the realm with POLARIS_REALM"
    elif answer.status == BAD_REQUEST:
        remedy = "change what the message names, then run it again"
    elif answer.status >= SERVER_ERROR:
        remedy = "look into the server's log, then run it again"
    return PolarisAnswerError(
        "Polaris did not do what was asked", where=answer.where, why=why, remedy=remedy, status=answer.status
    )
