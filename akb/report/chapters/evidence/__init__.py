"""The chapter *evidence*."""
