"""What people write: floe.yaml and manifest.yaml."""
