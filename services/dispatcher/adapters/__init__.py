"""The agents that execute jobs, each behind the same narrow port."""
