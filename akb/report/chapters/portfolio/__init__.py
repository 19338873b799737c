"""The chapter *portfolio*."""
