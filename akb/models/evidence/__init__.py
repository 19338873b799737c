"""What a prediction showed on later data, and how far a reader may lean on it."""
