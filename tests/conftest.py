"""Settings for all tests."""

import os

from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does: tests run side by side

# A machine that does other things too must not turn a slow example into a failure; a failure must repeat.
settings.register_profile("akb", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("akb")
