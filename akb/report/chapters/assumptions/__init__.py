"""The chapter *assumptions*."""
