"""The lists that advisers work from: what the plan chose, and what it leaves to others."""
