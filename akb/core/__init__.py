"""What every room may use: errors, findings, pseudonyms, dates. Imports nothing of akb but
itself.
"""

__version__ = "0.1.0"
