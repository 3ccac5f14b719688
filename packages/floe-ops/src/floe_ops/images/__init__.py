"""Container images without a container engine: written, built from what package registries give, joined, served."""
