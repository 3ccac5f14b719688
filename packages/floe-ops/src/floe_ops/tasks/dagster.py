"""Invoke tasks of the namespace `dagster`."""
