"""Decide what each column is for, and turn rows into inputs by statistics of the training rows."""
