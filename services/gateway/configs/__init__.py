"""Configurations of agents on their way into the log: checked in `checks.py`, their secrets kept out of it by `keeping.py`; every command
that carries one passes `saving.py`."""
