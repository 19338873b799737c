"""The chapter *summary*."""
