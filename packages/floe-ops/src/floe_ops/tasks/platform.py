"""Invoke tasks of the namespace `platform`."""
