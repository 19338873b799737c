"""Validated settings: shipped defaults, then the client's ``akb.toml``, then the command line."""

from akb.config.contacts import ContactType, Effect
from akb.config.register import Assumption, MeasuredEffect
from akb.config.settings import SCHEMA, Settings, load_settings
from akb.config.tables import (
    LARGEST_SEED,
    WORDS,
    Branch,
    Definition,
    Features,
    Ingest,
    Member,
    Models,
    SisterRecord,
    Sisters,
)

__all__ = [
    "LARGEST_SEED",
    "SCHEMA",
    "WORDS",
    "Assumption",
    "Branch",
    "ContactType",
    "Definition",
    "Effect",
    "Features",
    "Ingest",
    "MeasuredEffect",
    "Member",
    "Models",
    "Settings",
    "SisterRecord",
    "Sisters",
    "load_settings",
]
