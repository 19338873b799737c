"""The chapter *leaving*."""
