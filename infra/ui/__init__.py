"""Makes the dashboard's files (`services/gateway/static`) from their sources (`services/gateway/ui`), with a Node that pip brings."""
