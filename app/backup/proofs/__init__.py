"""Can it be restored? Drills, what they found, and which keys were proven."""
