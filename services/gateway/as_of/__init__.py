"""Reads as of the past: the same answers as the read tables gave when the log had come to a position, folded from the log. See README."""
