"""Invoke tasks of the namespace `polaris`."""
