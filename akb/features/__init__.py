"""What was known when: as-of cuts, named feature groups, targets."""
