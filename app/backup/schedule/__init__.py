"""When the next backup is due, and which stay."""
