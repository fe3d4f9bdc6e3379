"""scripts/verify_persistence.py: a proof that the data outlives the container. docs/receipts.md says how to use it."""
