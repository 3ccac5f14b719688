"""A stand-in that speaks the protocol of Apache Polaris, for tests and for machines where it cannot be had."""
