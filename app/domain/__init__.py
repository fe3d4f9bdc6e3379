"""What can be done with work items, tasks and accounts. Each function takes a session inside a transaction."""
