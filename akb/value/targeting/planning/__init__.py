"""One plan of contacts: what each could change, which pay, and what an hour is worth."""
