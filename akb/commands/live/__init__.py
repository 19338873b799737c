"""Commands of the weekly work with a client's book."""
