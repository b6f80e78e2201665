"""Roles of columns: their kind, whether they are inputs, and what the target asks for."""
