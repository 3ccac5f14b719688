"""Invoke tasks of the namespace `plugins`."""
