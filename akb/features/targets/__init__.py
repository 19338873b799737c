"""What happened after each T: the labels of the predictions, per customer, per branch and in
euros.
"""
