"""Settings for all tests."""

from hypothesis import HealthCheck, settings

# A machine that does other things too must not turn a slow example into a failure; a failure must repeat.
settings.register_profile("akb", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("akb")
