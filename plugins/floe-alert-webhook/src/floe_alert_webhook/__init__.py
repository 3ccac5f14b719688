"""Alert channel plugin: signed webhooks, Slack and Alertmanager."""
