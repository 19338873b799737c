"""What outlives a run: the book, weekly scores, feedback, and who may be champion."""
