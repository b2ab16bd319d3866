"""The board: what is where, and why not further, of a workspace at a glance; and what changed of it since."""
