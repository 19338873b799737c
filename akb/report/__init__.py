"""Every file that a client reads: the HTML report, the lists, the JSON summary; the only room with wording."""
