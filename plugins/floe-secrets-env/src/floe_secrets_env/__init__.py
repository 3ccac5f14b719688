"""Secrets plugin: the environment and mounted files."""
