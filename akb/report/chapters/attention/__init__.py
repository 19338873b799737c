"""The chapter *attention*."""
