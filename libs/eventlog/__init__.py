"""The event log: the port in `port.py`, the log in Postgres and in memory, and the mapping of facts to stored bytes.

`recorder.py` puts the `eventsourcing` package's Application on the same log.
"""
