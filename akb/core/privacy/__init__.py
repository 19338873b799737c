"""What must not leave the office as it is: direct identifiers, names of customers, groups too small
to show.
"""
