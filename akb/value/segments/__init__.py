"""Classes and segments of customers, and who moved between them."""
