"""Puts this folder on the path, so that the findings' tests find ``ingest_exports``."""
