"""What a data product and a plugin are: schemas, ABCs, registry, compile pipeline, CLI."""
