"""Verifier decides whether what was deployed is healthy: it measures, judges, and says passed or failed."""
