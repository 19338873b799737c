"""The chapter *cards*."""
