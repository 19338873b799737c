"""The chapter *quality*."""
