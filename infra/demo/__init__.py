"""A small shop that releases itself, so that a newcomer has something to look at."""
