"""What lies under the database file: the mount, the guard, what file servers keep, files put in place for good."""
