"""The files beside the page: scores, lists, workbooks, cards, and ``summary.json``."""
