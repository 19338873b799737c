"""From which day do we look: the clocks of starts and ends, snapshots, doubts, and how far back the record reaches."""
