"""What services tell each other: facts, commands, and the shapes they share. Importing it registers every contract."""

from contracts import commands, facts

__all__ = ["commands", "facts"]
