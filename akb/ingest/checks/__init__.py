"""What is wrong with an export or may not come in.

Findings, losses, identifiers, the contract of the tables.
"""
