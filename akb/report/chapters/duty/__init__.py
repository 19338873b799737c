"""The chapter *duty*."""
