"""Who the customers are: relations, households, and who may be written to."""
