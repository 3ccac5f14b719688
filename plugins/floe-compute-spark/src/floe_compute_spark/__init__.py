"""Compute plugin: Apache Spark, for what one machine is too small for."""
