"""Semantic layer plugin: dbt models as Cube data model files."""
