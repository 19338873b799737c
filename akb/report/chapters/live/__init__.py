"""The chapter *live*."""
