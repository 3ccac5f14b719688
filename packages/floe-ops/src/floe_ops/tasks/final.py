"""Invoke tasks of the namespace `final`."""
