"""Files to a typed `Portfolio`: what the file says, what could not be used, and what akb noticed."""

from akb.ingest.earlier import earlier
from akb.ingest.masking import masked
from akb.ingest.portfolio import read_portfolio

__all__ = ["earlier", "masked", "read_portfolio"]
