"""Backups: a consistent copy of the database, the proof that travels with it, and putting it back."""
