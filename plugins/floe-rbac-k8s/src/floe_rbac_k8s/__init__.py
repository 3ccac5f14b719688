"""RBAC plugin: ServiceAccount, Role and RoleBinding for Kubernetes."""
