"""A machine that does other things too must not turn a slow example into a failure."""

from hypothesis import settings

settings.register_profile("value", deadline=None)
settings.load_profile("value")
