"""Many offices side by side: an ordinary run each, what they lend each other, and a comparison."""
