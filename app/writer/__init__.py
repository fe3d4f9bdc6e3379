"""One writer at a time: the lease, who holds it, how it is handed over, and what follows a writer that was lost."""
