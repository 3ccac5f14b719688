"""Typed clients of the services; the one of Polaris lives in its plugin."""
