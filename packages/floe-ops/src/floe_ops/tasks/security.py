"""Invoke tasks of the namespace `security`."""
