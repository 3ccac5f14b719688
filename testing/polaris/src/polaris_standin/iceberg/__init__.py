"""The Iceberg REST catalog (`/api/catalog/v1`).

Tables are real: metadata files are written to the object store, clients write the data, and the catalog
keeps the pointer to the current metadata file and swaps it atomically.

The pointers live in the stand-in's own entity store and the metadata is computed by PyIceberg's table
machinery. PyIceberg's SqlCatalog was considered and does not fit: it keys namespaces by their dotted name,
so `["a.b"]` and `["a", "b"]` are one there and two in Polaris; it has no nested locations, no namespace
without properties, and no way to make a grant and a table change in one transaction.
"""
