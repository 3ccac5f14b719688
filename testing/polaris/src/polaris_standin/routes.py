"""Every path of the API port."""

from __future__ import annotations

from polaris_standin import oauth
from polaris_standin.iceberg import commits, config, namespaces, tables, views
from polaris_standin.management import assignments, catalogs, grants, principals, roles
from polaris_standin.wire import FORM, Route

_MANAGEMENT = "/api/management/v1"
_CATALOGS = f"{_MANAGEMENT}/catalogs"
_CATALOG = f"{_CATALOGS}/{{catalog}}"
_CATALOG_ROLES = f"{_CATALOG}/catalog-roles"
_CATALOG_ROLE = f"{_CATALOG_ROLES}/{{catalog_role}}"
_PRINCIPALS = f"{_MANAGEMENT}/principals"
_PRINCIPAL = f"{_PRINCIPALS}/{{principal}}"
_PRINCIPAL_ROLES = f"{_MANAGEMENT}/principal-roles"
_PRINCIPAL_ROLE = f"{_PRINCIPAL_ROLES}/{{principal_role}}"
_ROLE_IN_CATALOG = f"{_PRINCIPAL_ROLE}/catalog-roles/{{catalog}}"
_ICEBERG = "/api/catalog/v1"
_NAMESPACES = f"{_ICEBERG}/{{prefix}}/namespaces"
_NAMESPACE = f"{_NAMESPACES}/{{namespace}}"
_TABLES = f"{_NAMESPACE}/tables"
_TABLE = f"{_TABLES}/{{table}}"
_VIEWS = f"{_NAMESPACE}/views"
_VIEW = f"{_VIEWS}/{{view}}"

_MANAGEMENT_ROUTES = [
    Route("GET", _CATALOGS, catalogs.list_all),
    Route("POST", _CATALOGS, catalogs.create),
    Route("GET", _CATALOG, catalogs.get),
    Route("PUT", _CATALOG, catalogs.update),
    Route("DELETE", _CATALOG, catalogs.delete),
    Route("GET", _CATALOG_ROLES, roles.list_catalog_roles),
    Route("POST", _CATALOG_ROLES, roles.create_catalog_role),
    Route("GET", _CATALOG_ROLE, roles.get_catalog_role),
    Route("PUT", _CATALOG_ROLE, roles.update_catalog_role),
    Route("DELETE", _CATALOG_ROLE, roles.delete_catalog_role),
    Route("GET", f"{_CATALOG_ROLE}/grants", grants.list_all),
    Route("PUT", f"{_CATALOG_ROLE}/grants", grants.add),
    Route("POST", f"{_CATALOG_ROLE}/grants", grants.revoke),
    Route("GET", f"{_CATALOG_ROLE}/principal-roles", assignments.principal_roles_of_catalog_role),
    Route("GET", _PRINCIPALS, principals.list_all),
    Route("POST", _PRINCIPALS, principals.create),
    Route("GET", _PRINCIPAL, principals.get),
    Route("PUT", _PRINCIPAL, principals.update),
    Route("DELETE", _PRINCIPAL, principals.delete),
    Route("POST", f"{_PRINCIPAL}/rotate", principals.rotate),
    Route("POST", f"{_PRINCIPAL}/reset", principals.reset),
    Route("GET", f"{_PRINCIPAL}/principal-roles", assignments.principal_roles_of_principal),
    Route("PUT", f"{_PRINCIPAL}/principal-roles", assignments.assign_principal_role),
    Route("DELETE", f"{_PRINCIPAL}/principal-roles/{{principal_role}}", assignments.revoke_principal_role),
    Route("GET", _PRINCIPAL_ROLES, roles.list_principal_roles),
    Route("POST", _PRINCIPAL_ROLES, roles.create_principal_role),
    Route("GET", _PRINCIPAL_ROLE, roles.get_principal_role),
    Route("PUT", _PRINCIPAL_ROLE, roles.update_principal_role),
    Route("DELETE", _PRINCIPAL_ROLE, roles.delete_principal_role),
    Route("GET", f"{_PRINCIPAL_ROLE}/principals", assignments.principals_of_principal_role),
    Route("GET", _ROLE_IN_CATALOG, assignments.catalog_roles_of_principal_role),
    Route("PUT", _ROLE_IN_CATALOG, assignments.assign_catalog_role),
    Route("DELETE", f"{_ROLE_IN_CATALOG}/{{catalog_role}}", assignments.revoke_catalog_role),
]

_ICEBERG_ROUTES = [
    Route("POST", f"{_ICEBERG}/oauth/tokens", oauth.token, consumes=FORM, is_open=True),
    Route("GET", f"{_ICEBERG}/config", config.config),
    Route("GET", _NAMESPACES, namespaces.list_all),
    Route("POST", _NAMESPACES, namespaces.create),
    Route("GET", _NAMESPACE, namespaces.load),
    Route("HEAD", _NAMESPACE, namespaces.exists),
    Route("DELETE", _NAMESPACE, namespaces.drop),
    Route("POST", f"{_NAMESPACE}/properties", namespaces.update_properties),
    Route("GET", _TABLES, tables.list_all),
    Route("POST", _TABLES, tables.create),
    Route("POST", f"{_NAMESPACE}/register", tables.register),
    Route("GET", _TABLE, tables.load),
    Route("HEAD", _TABLE, tables.exists),
    Route("POST", _TABLE, commits.commit),
    Route("DELETE", _TABLE, tables.drop),
    Route("GET", f"{_TABLE}/credentials", tables.credentials),
    Route("POST", f"{_TABLE}/metrics", tables.report_metrics),
    Route("POST", f"{_ICEBERG}/{{prefix}}/tables/rename", tables.rename),
    Route("POST", f"{_ICEBERG}/{{prefix}}/transactions/commit", commits.commit_transaction),
    Route("GET", _VIEWS, views.list_all),
    Route("POST", _VIEWS, views.unsupported),
    Route("GET", _VIEW, views.missing),
    Route("HEAD", _VIEW, views.missing),
    Route("DELETE", _VIEW, views.missing),
]

ROUTES = _MANAGEMENT_ROUTES + _ICEBERG_ROUTES
