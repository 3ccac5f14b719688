"""What is done with Iceberg tables: write, evolve, tag, expire, compact."""
