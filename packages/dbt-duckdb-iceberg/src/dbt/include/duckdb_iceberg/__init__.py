"""The adapter's dbt package."""
