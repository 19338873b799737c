"""The business case in the page: rows that stand for the customers, and the planner on them."""
