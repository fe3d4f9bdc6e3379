"""What can be typed: one file a kind of command."""
