"""The chapter *customer*."""
