"""Which privileges there are, which one confers which, and what each operation needs.

The families follow Polaris 1.4.1: `X_FULL_METADATA` confers the whole family of X, writing confers reading,
anything on a thing confers listing it, `CATALOG_MANAGE_CONTENT` confers all data and metadata of a catalog,
`CATALOG_MANAGE_ACCESS` its roles and grants, `SERVICE_MANAGE_ACCESS` the realm's own entities.
"""

from __future__ import annotations

from functools import cache

_VERBS = ("CREATE", "DROP", "LIST", "READ_PROPERTIES", "WRITE_PROPERTIES")
_GRANT_VERBS = ("LIST_GRANTS", "MANAGE_GRANTS_ON_SECURABLE", "MANAGE_GRANTS_FOR_GRANTEE")
_CONTENT = ("NAMESPACE", "TABLE", "VIEW")

GRANTABLE: dict[str, frozenset[str]] = {
    "catalog": frozenset(
        {"CATALOG_MANAGE_ACCESS", "CATALOG_MANAGE_CONTENT", "CATALOG_MANAGE_METADATA"}
        | {"CATALOG_READ_PROPERTIES", "CATALOG_WRITE_PROPERTIES", "TABLE_READ_DATA", "TABLE_WRITE_DATA"}
        | {f"{family}_{verb}" for family in _CONTENT for verb in (*_VERBS, "FULL_METADATA")}
    ),
    "namespace": frozenset(
        {"CATALOG_MANAGE_ACCESS", "CATALOG_MANAGE_CONTENT", "CATALOG_MANAGE_METADATA"}
        | {"TABLE_READ_DATA", "TABLE_WRITE_DATA"}
        | {f"{family}_{verb}" for family in _CONTENT for verb in (*_VERBS, "FULL_METADATA")}
    ),
    "table": frozenset(
        {"CATALOG_MANAGE_ACCESS", "TABLE_READ_DATA", "TABLE_WRITE_DATA"}
        | {f"TABLE_{verb}" for verb in (*_VERBS, "FULL_METADATA") if verb != "CREATE"}
    ),
}
"""Privileges that a grant of each type may name."""


def _family(name: str) -> dict[str, set[str]]:
    """What confers what inside one family."""
    return {
        f"{name}_FULL_METADATA": {f"{name}_{verb}" for verb in _VERBS},
        f"{name}_CREATE": {f"{name}_LIST"},
        f"{name}_READ_PROPERTIES": {f"{name}_LIST"},
        f"{name}_WRITE_PROPERTIES": {f"{name}_READ_PROPERTIES"},
    }


def _administered(*families: str) -> set[str]:
    """Everything an administrator of families of roles or principals may do with them."""
    return {f"{family}_{verb}" for family in families for verb in ("FULL_METADATA", *_GRANT_VERBS)}


_CONFERS: dict[str, set[str]] = {
    **_family("CATALOG"),
    **_family("NAMESPACE"),
    **_family("TABLE"),
    **_family("VIEW"),
    **_family("PRINCIPAL"),
    **_family("PRINCIPAL_ROLE"),
    **_family("CATALOG_ROLE"),
    "TABLE_READ_DATA": {"TABLE_READ_PROPERTIES"},
    "TABLE_WRITE_DATA": {"TABLE_READ_DATA", "TABLE_WRITE_PROPERTIES"},
    "CATALOG_MANAGE_CONTENT": {"CATALOG_MANAGE_METADATA", "TABLE_WRITE_DATA"},
    "CATALOG_MANAGE_METADATA": {
        "CATALOG_WRITE_PROPERTIES",
        *(f"{family}_FULL_METADATA" for family in _CONTENT),
    },
    "CATALOG_MANAGE_ACCESS": {
        *_administered("CATALOG_ROLE"),
        *(
            f"{family}_{verb}"
            for family in ("CATALOG", *_CONTENT)
            for verb in ("LIST_GRANTS", "MANAGE_GRANTS_ON_SECURABLE")
        ),
    },
    "SERVICE_MANAGE_ACCESS": {
        "CATALOG_FULL_METADATA",
        "PRINCIPAL_RESET_CREDENTIALS",
        *_administered("PRINCIPAL", "PRINCIPAL_ROLE"),
    },
}


@cache
def conferred(privilege: str) -> frozenset[str]:
    """A privilege and all that it confers."""
    found = {privilege}
    waiting = [privilege]
    while waiting:
        new = _CONFERS.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return frozenset(found)


def _manage(family: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    """The operations of every family that the management API creates, reads, changes and deletes."""
    return {
        f"LIST_{family}S": ((f"{family}_LIST",),),
        f"CREATE_{family}": ((f"{family}_CREATE",),),
        f"GET_{family}": ((f"{family}_READ_PROPERTIES",),),
        f"UPDATE_{family}": ((f"{family}_WRITE_PROPERTIES",),),
        f"DELETE_{family}": ((f"{family}_DROP",),),
    }


def _granting(family: str) -> tuple[tuple[str, ...], ...]:
    on_securable = (f"{family}_MANAGE_GRANTS_ON_SECURABLE",)
    return (on_securable, ("CATALOG_ROLE_MANAGE_GRANTS_FOR_GRANTEE",))


_ASSIGN_PRINCIPAL_ROLE = (
    ("PRINCIPAL_ROLE_MANAGE_GRANTS_ON_SECURABLE",),
    ("PRINCIPAL_MANAGE_GRANTS_FOR_GRANTEE",),
)
_ASSIGN_CATALOG_ROLE = (
    ("CATALOG_ROLE_MANAGE_GRANTS_ON_SECURABLE",),
    ("PRINCIPAL_ROLE_MANAGE_GRANTS_FOR_GRANTEE",),
)

OPERATIONS: dict[str, tuple[tuple[str, ...], ...]] = {
    **_manage("CATALOG"),
    **_manage("PRINCIPAL"),
    **_manage("PRINCIPAL_ROLE"),
    **_manage("CATALOG_ROLE"),
    "ROTATE_CREDENTIALS": (("PRINCIPAL_ROTATE_CREDENTIALS",),),
    "RESET_CREDENTIALS": (("PRINCIPAL_RESET_CREDENTIALS",),),
    "LIST_PRINCIPAL_ROLES_ASSIGNED": (("PRINCIPAL_LIST_GRANTS",),),
    "LIST_ASSIGNEE_PRINCIPALS_FOR_PRINCIPAL_ROLE": (("PRINCIPAL_ROLE_LIST_GRANTS",),),
    "LIST_CATALOG_ROLES_FOR_PRINCIPAL_ROLE": (("PRINCIPAL_ROLE_LIST_GRANTS",),),
    "LIST_ASSIGNEE_PRINCIPAL_ROLES_FOR_CATALOG_ROLE": (("CATALOG_ROLE_LIST_GRANTS",),),
    "LIST_GRANTS_FOR_CATALOG_ROLE": (("CATALOG_ROLE_LIST_GRANTS",),),
    "ASSIGN_PRINCIPAL_ROLE": _ASSIGN_PRINCIPAL_ROLE,
    "REVOKE_PRINCIPAL_ROLE": _ASSIGN_PRINCIPAL_ROLE,
    "ASSIGN_CATALOG_ROLE_TO_PRINCIPAL_ROLE": _ASSIGN_CATALOG_ROLE,
    "REVOKE_CATALOG_ROLE_FROM_PRINCIPAL_ROLE": _ASSIGN_CATALOG_ROLE,
    "ADD_CATALOG_GRANT_TO_CATALOG_ROLE": _granting("CATALOG"),
    "ADD_NAMESPACE_GRANT_TO_CATALOG_ROLE": _granting("NAMESPACE"),
    "ADD_TABLE_GRANT_TO_CATALOG_ROLE": _granting("TABLE"),
    "REVOKE_CATALOG_GRANT_FROM_CATALOG_ROLE": _granting("CATALOG"),
    "REVOKE_NAMESPACE_GRANT_FROM_CATALOG_ROLE": _granting("NAMESPACE"),
    "REVOKE_TABLE_GRANT_FROM_CATALOG_ROLE": _granting("TABLE"),
    "LIST_NAMESPACES": (("NAMESPACE_LIST",),),
    "CREATE_NAMESPACE": (("NAMESPACE_CREATE",),),
    "LOAD_NAMESPACE_METADATA": (("NAMESPACE_READ_PROPERTIES",),),
    "NAMESPACE_EXISTS": (("NAMESPACE_LIST",),),
    "DROP_NAMESPACE": (("NAMESPACE_DROP",),),
    "UPDATE_NAMESPACE_PROPERTIES": (("NAMESPACE_WRITE_PROPERTIES",),),
    "LIST_TABLES": (("TABLE_LIST",),),
    "LIST_VIEWS": (("VIEW_LIST",),),
    "CREATE_TABLE_DIRECT": (("TABLE_CREATE",),),
    "CREATE_TABLE_DIRECT_WITH_WRITE_DELEGATION": (("TABLE_CREATE", "TABLE_WRITE_DATA"),),
    "CREATE_TABLE_STAGED": (("TABLE_CREATE",),),
    "CREATE_TABLE_STAGED_WITH_WRITE_DELEGATION": (("TABLE_CREATE", "TABLE_WRITE_DATA"),),
    "REGISTER_TABLE": (("TABLE_CREATE",),),
    "LOAD_TABLE": (("TABLE_READ_PROPERTIES",),),
    "LOAD_TABLE_WITH_READ_DELEGATION": (("TABLE_READ_DATA",),),
    "TABLE_EXISTS": (("TABLE_LIST",),),
    "UPDATE_TABLE": (("TABLE_WRITE_PROPERTIES",),),
    "UPDATE_TABLE_FOR_STAGED_CREATE": (("TABLE_CREATE",),),
    "DROP_TABLE_WITHOUT_PURGE": (("TABLE_DROP",),),
    "DROP_TABLE_WITH_PURGE": (("TABLE_DROP", "TABLE_WRITE_DATA"),),
    "RENAME_TABLE": (("TABLE_LIST", "TABLE_DROP"), ("TABLE_LIST", "TABLE_CREATE")),
    "REPORT_READ_METRICS": (("TABLE_READ_DATA",),),
}
"""Operation (as 403 texts name it) to the privileges needed on each of its targets, in order."""
