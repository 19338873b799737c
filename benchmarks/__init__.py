"""Measurements, each repeatable by the command in its docstring; results stand in README.md."""
