"""What every service shows of itself: logs, health, readiness, metrics, and how it stops."""
