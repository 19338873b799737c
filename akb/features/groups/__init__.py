"""The feature groups, each of one idea, in the order of the matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.features.groups import (
    branches,
    claims,
    contacts,
    coverage,
    hazards,
    holdings,
    insurers,
    lapses,
    lifestage,
    own,
    payments,
    people,
    premium,
    purchases,
    renewal,
    season,
    signals,
    tenure,
    trends,
)

if TYPE_CHECKING:
    from akb.features.registry import Group, World

BUILDERS = (
    holdings.build,
    branches.build,
    coverage.build,
    tenure.build,
    lapses.build,
    purchases.build,
    trends.build,
    renewal.build,
    season.build,
    lifestage.build,
    insurers.build,
    hazards.build,
    people.build,
    claims.build,
    contacts.build,
    payments.build,
    signals.build,
    premium.build,
    own.build,
)


_latest: list[tuple[World, list[Group]]] = []


def groups(world: World) -> list[Group]:
    """Return the groups that this portfolio supports.

    Those of the latest portfolio are kept: in a call one question after the other has the same.
    """
    if _latest and _latest[0][0] == world:
        return _latest[0][1]
    made = [group for group in (build(world) for build in BUILDERS) if group.columns]
    _latest[:] = [(world, made)]
    return made
