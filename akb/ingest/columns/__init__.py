"""Which heading means what: presets, roles, proposals and their evidence; the `Table` that the later steps read."""
