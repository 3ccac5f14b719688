"""Assets of a product."""
