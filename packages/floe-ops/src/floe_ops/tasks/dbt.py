"""Invoke tasks of the namespace `dbt`."""
