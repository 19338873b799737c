"""The register of the duty of care: what was discussed, agreed and refused, and its evidence."""
