"""Fuzzing: `README.md` says how, for how long, and what it found."""
