"""The rows of one customer, beside what everybody else adds up to."""
