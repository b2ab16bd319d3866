"""Calls to the outside: `Outbound.ask` in `asking.py`, what may be called in `addresses.py`, how often in `budget.py` and `pause.py`."""
