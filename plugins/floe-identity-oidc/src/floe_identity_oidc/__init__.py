"""Identity plugin: tokens of any OpenID Connect issuer."""
