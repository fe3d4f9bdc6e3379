"""Plain copies of the database beside it: made at one moment, proven by a manifest, put in place whole."""
