"""What the automation does: plan, clients, readiness, targets, audits, verdict, Invoke tasks."""
