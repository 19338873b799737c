"""What is found without predicting: profiles, comparable customers, definitions of churn."""

from __future__ import annotations

from akb.models.descriptive.comparable import (
    ChurnDifference,
    FollowedPeers,
    Peers,
    churn_difference,
    has_holdings,
    in_own_group,
    need,
)
from akb.models.descriptive.definitions import compare
from akb.models.descriptive.profiles import find_profiles

__all__ = [
    "ChurnDifference",
    "FollowedPeers",
    "Peers",
    "churn_difference",
    "compare",
    "find_profiles",
    "has_holdings",
    "in_own_group",
    "need",
]
