"""What was known when: as-of cuts, named feature groups, targets."""

from akb.features.grid import as_of_grid
from akb.features.matrix import build_matrix
from akb.features.targets import build_targets
from akb.features.themes import topics_of

__all__ = ["as_of_grid", "build_matrix", "build_targets", "topics_of"]
