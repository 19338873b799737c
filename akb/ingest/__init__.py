"""Files to a typed `Portfolio`: what the file says, what could not be used, and what akb noticed."""
