"""The three shapes in which Polaris reports an error.

Shapes and texts are those measured from Polaris 1.4.1: an OAuth object, an API object with
`message`, `type` and `code`, or a status with an empty body.
"""

from __future__ import annotations

from typing import Any


class WireError(Exception):
    """A refusal that goes out as a status and a body (None: empty).

    `compressible` says whether the answer may be gzipped; Polaris compresses what its handlers return and
    not what its exception mappers make.
    """

    def __init__(self, status: int, body: dict[str, Any] | None, *, compressible: bool = False) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.compressible = compressible
        self.headers: dict[str, str] = {}


class ApiError(WireError):
    """`{"error": {"message", "type", "code"}}`; `kind` is the Java class name that Polaris reports."""

    def __init__(self, status: int, kind: str, message: str, *, compressible: bool = False) -> None:
        body = {"error": {"message": message, "type": kind, "code": status}}
        super().__init__(status, body, compressible=compressible)
        self.kind = kind
        self.message = message


class OAuthError(WireError):
    """`{"error", "error_description", "error_uri"}`, only from the token endpoint."""

    def __init__(self, status: int, error: str, description: str) -> None:
        body = {"error": error, "error_description": description, "error_uri": None}
        super().__init__(status, body, compressible=True)


class UnauthorizedError(WireError):
    """401 for a missing, garbled, expired or orphaned token alike: no body, a challenge header."""

    def __init__(self) -> None:
        super().__init__(401, None)
        self.headers = {"WWW-Authenticate": "Bearer"}


def empty_400() -> WireError:
    """A body that does not fit the model: Polaris says 400 and nothing more."""
    return WireError(400, None)


def bad_request() -> ApiError:
    """A body that is no JSON (anywhere) or not of the Iceberg model (catalog API)."""
    return ApiError(400, "WebApplicationException", "HTTP 400 Bad Request")


def not_found(message: str = "HTTP 404 Not Found") -> ApiError:
    """404 for anything but namespaces, tables and views."""
    return ApiError(404, "NotFoundException", message)


def no_such_namespace(name: str) -> ApiError:
    """404 for a namespace; the name is dotted."""
    return ApiError(404, "NoSuchNamespaceException", f"Namespace does not exist: {name}")


def no_such_table(name: str) -> ApiError:
    """404 for a table; the name is dotted."""
    return ApiError(404, "NoSuchTableException", f"Table does not exist: {name}")


def already_exists(message: str) -> ApiError:
    """409 for a name in use."""
    return ApiError(409, "AlreadyExistsException", message)


def commit_conflict(message: str) -> ApiError:
    """409 for a version that is not the current one."""
    return ApiError(409, "CommitConflictException", message)


def commit_failed(message: str) -> ApiError:
    """409 for a table commit; Iceberg clients retry on it."""
    return ApiError(409, "CommitFailedException", message)


def forbidden(message: str) -> ApiError:
    """403 with its reason."""
    return ApiError(403, "ForbiddenException", message)


def illegal_argument(message: str) -> ApiError:
    """400 for a value that makes no sense."""
    return ApiError(400, "IllegalArgumentException", message)


def refused(message: str) -> ApiError:
    """400 `BadRequestException`: the request is well formed and against a rule of the catalog."""
    return ApiError(400, "BadRequestException", message)


def violation(field: str, rule: str) -> ApiError:
    """A field that breaks a declared constraint (not null, size, pattern)."""
    return ApiError(400, "ResteasyReactiveViolationException", f"Invalid value: {field}: {rule}")


def null_pointer(message: str) -> ApiError:
    """Where Polaris forgets to check for null it answers 500; clients meet it, so the stand-in does it too."""
    return ApiError(500, "NullPointerException", message)


def grant_not_found() -> ApiError:
    """400 for taking back what was not given."""
    message = "Operation failed: GRANT_NOT_FOUND"
    return ApiError(400, "GRANT_NOT_FOUND", message, compressible=True)
