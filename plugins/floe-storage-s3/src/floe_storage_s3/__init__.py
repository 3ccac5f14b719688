"""Storage plugin: any S3 object store."""
