"""Progress for people on stderr: what is being done, how long it took, and will take."""

from akb.commands.console.stages import Stages

__all__ = ["Stages"]
