"""Bills of materials in CycloneDX 1.5: of the locked environment, and of images by what is in their layers."""
