"""Catalog plugin and typed client: Apache Polaris."""
