"""The running app's own backups: made by schedule, watched, and told of."""
