"""The chapter *product*."""
