"""The simulator of a Dutch intermediary's office, with known hazards and known effects of contact.

``simulate(customers, seed)`` gives a `Book`; ``Book.futures`` draws futures from its as-of date,
``Book.paired`` futures without contact beside those under a `PlannedContacts`; ``Book.later`` lets
one of them happen, ``write_sample`` writes the export and the truth."""

from akb.sample.book import Book, simulate
from akb.sample.contact import ContactEffect, PlannedContacts
from akb.sample.export import known_hazards, write_sample
from akb.sample.futures import Futures
from akb.sample.paired import FuturePolicies, Paired

__all__ = [
    "Book",
    "ContactEffect",
    "FuturePolicies",
    "Futures",
    "Paired",
    "PlannedContacts",
    "known_hazards",
    "simulate",
    "write_sample",
]
