"""The chapter *outlook*."""
