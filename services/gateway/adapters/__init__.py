"""Where the read rows are kept: in memory, or in Postgres."""
