"""The socket between the running app and commands on the same machine."""
