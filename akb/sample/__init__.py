"""The simulator of a Dutch intermediary's office, with known hazards.

``simulate(customers, seed)`` gives a `Book`; ``Book.futures`` draws futures from its as-of date,
``Book.later`` lets one of them happen, ``write_sample`` writes the export and the truth.
"""

from akb.sample.book import Book, simulate
from akb.sample.export import known_hazards, write_sample
from akb.sample.futures import Futures

__all__ = ["Book", "Futures", "known_hazards", "simulate", "write_sample"]
