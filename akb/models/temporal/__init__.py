"""What may be learned and judged when: splits in time, selection, levels, evaluation on later
data.
"""
