"""The chapter *pair*."""
