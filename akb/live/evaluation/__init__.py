"""Predicted against what happened: a finished run judged by a later export."""
