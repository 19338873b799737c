"""One module per section of the report: what it says, as plain figures."""
