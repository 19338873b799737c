"""What one column of text says: clean texts, amounts, dates, yes and no, words, branches and
reasons.

Pure readers: a column of text comes in, a column of values goes out. They know no file and no role.
"""
