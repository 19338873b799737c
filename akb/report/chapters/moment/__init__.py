"""The chapter *moment*."""
