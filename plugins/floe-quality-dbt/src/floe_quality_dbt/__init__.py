"""Quality plugin: dbt tests held to thresholds."""
