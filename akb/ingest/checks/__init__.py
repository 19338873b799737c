"""What is wrong with an export or may not come in: findings, losses, identifiers, the contract of the tables."""
