"""What happened, counted once: relations, closed years, rates. Value and report read it."""
