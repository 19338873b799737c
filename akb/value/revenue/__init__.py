"""What policies bring and cost: commission, cost to serve, and how a year's commission moved."""
