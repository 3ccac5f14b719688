"""The chart's tooling: its keys, its schema, its manifests, its unit tests and whether these can fail."""
