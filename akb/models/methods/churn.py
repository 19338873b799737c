"""Churn, its causes, its peak and the lifetime: one hazard makes all of them, so the run fits it
once for all.
"""

from __future__ import annotations

from akb.models.method import Method, Role, register

for name in ("hazard", "hazard_cause", "hazard_peak", "survival"):
    register(Method(name, None, together=True, role=Role.CHURN, lifetime=True))
