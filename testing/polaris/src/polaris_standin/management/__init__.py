"""The management API (`/api/management/v1`): catalogs, principals, roles, grants."""
