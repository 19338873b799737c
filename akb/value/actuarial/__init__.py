"""The actuary's review of lapse: exposure, actual against expected, credibility, a basis to use."""
