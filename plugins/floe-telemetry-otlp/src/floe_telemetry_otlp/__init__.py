"""Telemetry plugin: OTLP with a spool on disk."""
