"""Which heading means what.

Presets, roles, proposals and their evidence; the `Table` that the later steps read.
"""
