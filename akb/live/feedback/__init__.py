"""What advisers recorded: events in the book, what they say together, and who is left alone."""
