"""What is said as data (codes and values) and the words for it in ``configs/text``."""
