"""Which rows are one policy, what each says as of X, what continues what, and the events that
belong to them.
"""
