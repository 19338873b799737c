"""The chapter *actuarial*."""
