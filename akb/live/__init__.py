"""What outlives a run: the book, weekly scores, feedback, experiments, evaluation, and who may be
champion.
"""
