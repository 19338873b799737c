"""What the tests of the whole share stands in ``tests/conftest.py``: ``office``, its run ``finished``."""

from tests.offices import CANARY, Office

__all__ = ["CANARY", "Office"]
