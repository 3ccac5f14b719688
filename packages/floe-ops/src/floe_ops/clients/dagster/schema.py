"""The documents of the client held against the schema that a webserver serves.

The webserver is asked for its schema by introspection, deprecations too, and graphql-core validates each document
against it: a field, an argument or a type that is gone, or that Dagster has marked as deprecated, is found without
one of the documents being sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from floe_core.errors import WrongStateError

from floe_ops.clients.dagster.queries import DOCUMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from floe_ops.clients.dagster.webserver import Webserver


def problems(web: Webserver, documents: Mapping[str, str] = DOCUMENTS) -> list[str]:
    """What the served schema says against `documents`, a sentence each; none where all of them are valid.

    Raises:
        MissingToolError: The webserver does not answer.
        WrongStateError: What it serves is no schema.
    """
    from graphql import GraphQLError, NoDeprecatedCustomRule, parse, specified_rules, validate

    schema = _served(web)
    found = []
    for name, text in documents.items():
        try:
            errors = validate(schema, parse(text), [*specified_rules, NoDeprecatedCustomRule])
        except GraphQLError as error:
            errors = [error]
        found += [f"{name}: {error.message}" for error in errors]
    return found


def require_valid(web: Webserver, documents: Mapping[str, str] = DOCUMENTS) -> int:
    """How many documents the served schema accepts, if it accepts all.

    Raises:
        MissingToolError: The webserver does not answer.
        WrongStateError: It does not; every problem is named.
    """
    found = problems(web, documents)
    if found:
        raise WrongStateError(
            f"{len(found)} problems of the client's GraphQL with the served schema",
            where=f"{web.url}/graphql",
            why="".join(f"\n    {one}" for one in found),
            remedy="follow the schema in floe_ops.clients.dagster.queries",
        )
    return len(documents)


def _served(web: Webserver) -> Any:
    from graphql import build_client_schema, get_introspection_query

    query = get_introspection_query(descriptions=False, input_value_deprecation=True)

    def build(data: dict[str, Any]) -> Any:
        return build_client_schema(data)  # type: ignore[arg-type]  # its typed dict describes what it checks itself

    return web.data(query, "the schema", build)
