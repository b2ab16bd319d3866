"""The gateway: who may ask, HTTP to commands, the log to JSON and streams."""
