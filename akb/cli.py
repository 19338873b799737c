"""The Typer app: names, options, help; imports nothing heavy."""
