"""Orchestrator plugin: Dagster."""
