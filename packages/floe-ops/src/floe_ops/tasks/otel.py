"""Invoke tasks of the namespace `otel`."""
