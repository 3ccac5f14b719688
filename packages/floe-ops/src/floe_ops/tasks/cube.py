"""Invoke tasks of the namespace `cube`."""
