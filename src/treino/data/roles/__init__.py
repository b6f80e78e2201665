"""Roles of columns: their kind, whether they are inputs, and the task that the target sets."""
