"""One folder per chapter: its facts, its figures, its page. The order stands in
`akb.report.chapters.registry`.
"""
