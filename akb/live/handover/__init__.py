"""The work of a run handed to another system: which tasks, in whose form."""
