"""Floors for transitive packages: a list in `[tool.uv] constraint-dependencies`, each with the advisory it is for."""
