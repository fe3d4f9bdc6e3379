"""Another database in the place of the present one, what that changes, and the way back."""
