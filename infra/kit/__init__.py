"""The places a stack can run in, a folder each, and what they share."""
