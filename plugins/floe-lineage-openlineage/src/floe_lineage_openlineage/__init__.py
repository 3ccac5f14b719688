"""Lineage plugin: OpenLineage events to a file or an HTTP endpoint."""
