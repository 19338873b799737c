"""The story of ``akb eda``, top to bottom."""
