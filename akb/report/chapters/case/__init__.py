"""The chapter *case*."""
