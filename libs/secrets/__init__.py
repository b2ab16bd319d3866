"""Secrets of configurations: by reference in `references.py`, sealed in `sealing.py`; services use them through `vault.py`."""
