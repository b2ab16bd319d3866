"""What other systems send us: whether it is genuine, and what it says of a run."""
