"""Run folders: atomic writes, key, manifest."""
