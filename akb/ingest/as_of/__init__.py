"""From which day do we look.

The clocks of starts and ends, snapshots, doubts, and how far back the record reaches.
"""
