"""A stand-in for Apache Polaris 1.4.1, for machines where the real server cannot be had.

It answers the management API, the OAuth token endpoint, the Iceberg REST catalog and the health port as
exchanges recorded from a real server do (see `tests/contract/polaris`), and keeps real Iceberg tables in a
real object store. It is a test tool: one realm, one process, S3 storage only, no views, no policies.
"""
