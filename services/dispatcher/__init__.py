"""Dispatcher decides who executes a release: job agents, one dispatch at a time per release target, and how each job ends."""
