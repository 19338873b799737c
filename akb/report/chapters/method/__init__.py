"""The chapter *method*."""
