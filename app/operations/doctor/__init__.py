"""What is well and what is not, each finding with what mends it."""
