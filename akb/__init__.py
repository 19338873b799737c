"""akb: predictions and a business case for active customer management (*actief klantbeheer*)."""

__version__ = "0.1.0"
